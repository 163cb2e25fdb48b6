-- Who may do what at head office, and which stores may upload. Secrets stand here only as hashes.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE person (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
  hash BLOB PRIMARY KEY, store TEXT NOT NULL, certificate BLOB NOT NULL, created_ms INTEGER NOT NULL,
  revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate (
  serial BLOB PRIMARY KEY, store TEXT NOT NULL, issued_ms INTEGER NOT NULL, revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
