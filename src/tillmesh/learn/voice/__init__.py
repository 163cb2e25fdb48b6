"""The recogniser of spoken commands, from texts and synthetic speakers to a signed bundle."""
