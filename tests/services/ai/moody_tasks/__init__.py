"""Models for tests, run by a real worker: they misbehave as they are asked to."""
