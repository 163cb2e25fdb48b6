"""The terminal as the browser and other programs see it: HTTP, live events, and the pages."""
