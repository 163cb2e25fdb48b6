-- Everything accepted, for ever, in the order in which it came. Other tables of head office are made from it.

CREATE TABLE entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT, store TEXT NOT NULL, term INTEGER NOT NULL, sender TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE actor (id INTEGER PRIMARY KEY, store TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (store, name)) STRICT;

CREATE TABLE event (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL CHECK (seq > 0), entry INTEGER NOT NULL, hlc INTEGER NOT NULL,
  type TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, prev_hash BLOB NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY (entry, actor, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX event_once ON event (actor, seq);

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
