-- The signatures that events came under: with them any till can be given the log back, and believes it.

CREATE TABLE signed (
  entry INTEGER NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL,
  PRIMARY KEY (entry, actor, seq)
) STRICT, WITHOUT ROWID;
