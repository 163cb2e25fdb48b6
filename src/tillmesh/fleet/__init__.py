"""Head office's use cases and the ports they need: take in what stores sell, project it, and send changes down."""
