-- What head office has sent that holds for a time: prices from a moment on, and promotions. What tills do with it stands
-- in the event log; this is what people at head office see, change and take back.

CREATE TABLE plan (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, shown TEXT NOT NULL, places TEXT NOT NULL,
  chosen TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL, ended_ms INTEGER
) STRICT;

CREATE INDEX plan_by_key ON plan (kind, key);
