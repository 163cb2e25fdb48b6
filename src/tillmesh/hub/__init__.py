"""The program of head office: one process that takes in what stores sell, and sends changes down."""
