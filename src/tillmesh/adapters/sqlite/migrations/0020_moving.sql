-- Rows whose bodies were archived are written anew: an UPDATE that makes a row shorter leaves its room on the page empty for
-- ever, while a row that goes lets pages be joined. So the log may never be changed any more, and a row may leave it only
-- while it stands in "moving". It leaves "moving" only when the log holds it again, number, clock, type, version and
-- hash as they were, a mark of its size in place of the body; and nothing is committed while "moving" holds a row,
-- because each points at a row of "no_home", which has none.
CREATE TABLE no_home (id INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER no_home_is_there BEFORE INSERT ON no_home
BEGIN SELECT RAISE(ABORT, 'there is no home'); END;

CREATE TABLE moving (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL, hlc INTEGER NOT NULL,
  type TEXT NOT NULL, version INTEGER NOT NULL, hash BLOB NOT NULL, size INTEGER NOT NULL,
  home INTEGER NOT NULL DEFAULT 0 CHECK (home = 0) REFERENCES no_home (id) DEFERRABLE INITIALLY DEFERRED,
  PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER moving_is_append_only BEFORE UPDATE ON moving
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER moving_ends_in_the_log BEFORE DELETE ON moving
WHEN NOT EXISTS (
  SELECT 1 FROM event e
  WHERE e.actor = OLD.actor AND e.seq = OLD.seq AND e.hlc = OLD.hlc AND e.type = OLD.type AND e.version = OLD.version
    AND e.hash = OLD.hash AND substr(e.body, 1, 1) = X'C1' AND CAST(CAST(substr(e.body, 2) AS TEXT) AS INTEGER) = OLD.size
)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

DROP TRIGGER event_is_append_only;
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

DROP TRIGGER event_is_kept;
CREATE TRIGGER event_is_kept BEFORE DELETE ON event
WHEN NOT (
  EXISTS (
    SELECT 1 FROM moving m
    WHERE m.actor = OLD.actor AND m.seq = OLD.seq AND m.hlc = OLD.hlc AND m.type = OLD.type AND m.version = OLD.version
      AND m.hash = OLD.hash AND m.size = length(OLD.body)
  )
  AND substr(OLD.body, 1, 1) <> X'C1'
  -- The newest piece of the archive that begins before it: looking for any that covers it would walk through all of them.
  AND OLD.seq <= coalesce(
    (SELECT a.last FROM archive a WHERE a.actor = OLD.actor AND a.first <= OLD.seq ORDER BY a.first DESC LIMIT 1), 0)
)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
