"""Reports over all stores on DuckDB, for one machine. Terminals never import this package."""
