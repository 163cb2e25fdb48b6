"""tillmesh: an offline-first point of sale whose tills keep selling with no internet, no server and no waiting."""

__version__ = "0.1.0"
