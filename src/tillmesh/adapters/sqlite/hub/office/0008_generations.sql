-- How often a store's credentials were revoked, or its term was forgotten. What was claimed under an earlier generation
-- keeps no leader out. Stores whose credentials were revoked before this was counted begin with one.

CREATE TABLE generation (store TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO generation (store, number) SELECT DISTINCT store, 1 FROM certificate WHERE revoked_ms IS NOT NULL;
