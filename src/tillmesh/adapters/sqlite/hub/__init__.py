"""Head office on SQLite, for one machine: the event log, the master database, and who may do what.

Terminals never import this package.
"""
