-- Versions of models, who is to run them, and how they do on the tills.

CREATE TABLE version (
  name TEXT NOT NULL, version INTEGER NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL, manifest BLOB NOT NULL,
  at_ms INTEGER NOT NULL, by TEXT NOT NULL, signer TEXT NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

-- The roll-out as JSON; aliases are made of it.
CREATE TABLE rollout (name TEXT PRIMARY KEY, held BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE report (
  store TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, terminal TEXT NOT NULL,
  window_start INTEGER NOT NULL, window_end INTEGER NOT NULL, held BLOB NOT NULL,
  PRIMARY KEY (name, store, version, terminal, window_start)
) STRICT, WITHOUT ROWID;

CREATE INDEX report_age ON report (window_end);
