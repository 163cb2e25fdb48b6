-- Versions of models with their files, who is to run them, and how they do on the tills; all services share it.

CREATE TABLE model_version (
  name text COLLATE "C" NOT NULL, version bigint NOT NULL, sha256 text NOT NULL, size bigint NOT NULL,
  manifest bytea NOT NULL, at_ms bigint NOT NULL, by text NOT NULL, signer text NOT NULL, PRIMARY KEY (name, version)
);

CREATE TABLE bundle (sha256 text PRIMARY KEY, held bytea NOT NULL);

-- Packed already; so a part of it is read without the rest.
ALTER TABLE bundle ALTER COLUMN held SET STORAGE EXTERNAL;

CREATE TABLE rollout (name text COLLATE "C" PRIMARY KEY, serial bigint NOT NULL, held bytea NOT NULL);

CREATE TABLE report (
  store text NOT NULL, name text COLLATE "C" NOT NULL, version bigint NOT NULL, terminal text NOT NULL,
  window_start bigint NOT NULL, window_end bigint NOT NULL, held bytea NOT NULL,
  PRIMARY KEY (name, store, version, terminal, window_start)
);

CREATE INDEX report_age ON report (window_end);
