"""The terminal's own encrypted database: one writer, many readers, nothing acknowledged before it is on disk."""
