"""Reproducible measurements of what the shop feels, and the replay of a real shop's invoices."""
