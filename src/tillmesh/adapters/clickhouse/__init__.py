"""Reports over very many stores on ClickHouse. Terminals never import this package."""
