-- Pictures of products, for each store its own: no part of the event log, and made of nothing else.

CREATE TABLE picture (
  store text COLLATE "C" NOT NULL, sha256 text COLLATE "C" NOT NULL, media text NOT NULL, size bigint NOT NULL,
  asked_ms bigint NOT NULL, body bytea NOT NULL, PRIMARY KEY (store, sha256)
);

-- Packed already.
ALTER TABLE picture ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE INDEX picture_shelf ON picture (store, asked_ms, sha256, size);
