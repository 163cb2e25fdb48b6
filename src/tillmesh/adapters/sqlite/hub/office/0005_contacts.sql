-- When the leader of each store was here last and what it held then: sync services tell each other.

CREATE TABLE contact (store TEXT PRIMARY KEY, heard_ms INTEGER NOT NULL, held BLOB NOT NULL) STRICT, WITHOUT ROWID;
