"""The way between a store and head office: certificates of head office's own authority, and the store's client."""
