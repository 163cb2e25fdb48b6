"""Models in a process of their own: the worker, who talks to it, and where bundles lie on disk."""
