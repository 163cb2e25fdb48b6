-- Pictures of products, for each store its own: no part of the event log, and made of nothing else.

CREATE TABLE picture (
  store TEXT NOT NULL, sha256 TEXT NOT NULL, media TEXT NOT NULL, size INTEGER NOT NULL, asked_ms INTEGER NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (store, sha256)
) STRICT;

CREATE INDEX picture_shelf ON picture (store, asked_ms, sha256, size);
