-- Stores that are changed together: a region, a format, an owner. A store may be in several groups.

CREATE TABLE store_group (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE grouped (
  name TEXT NOT NULL, store TEXT NOT NULL, PRIMARY KEY (name, store)
) STRICT, WITHOUT ROWID;
