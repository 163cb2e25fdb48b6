-- Who is signed in, by the hash of a token: a restart signs nobody out.

CREATE TABLE session (
  token BLOB PRIMARY KEY, name TEXT NOT NULL, at_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_name ON session (name);
