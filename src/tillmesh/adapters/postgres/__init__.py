"""Head office's master database in PostgreSQL: for many stores, and for several sync services beside each other."""
