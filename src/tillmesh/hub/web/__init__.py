"""The HTTP APIs of head office: one for stores, behind certificates, and one for people."""
