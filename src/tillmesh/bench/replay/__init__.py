"""Sell a real shop's invoices through our own use cases, and compare every report with a sum over the file."""
