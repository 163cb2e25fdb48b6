-- Bodies of old sales, many together and compressed. Their rows stay in the log with their hashes; in place of the body
-- stands 0xC1, which no msgpack begins with, and its size in decimal digits.
CREATE TABLE archive (
  actor INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (actor, first)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER archive_is_kept BEFORE DELETE ON archive
BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
CREATE TRIGGER archive_is_append_only BEFORE UPDATE ON archive
BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;

-- The one thing that may change in the log: a body that is in the archive makes room. Its hash says which it was.
DROP TRIGGER event_is_append_only;
CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
WHEN NOT (
  NEW.actor = OLD.actor AND NEW.seq = OLD.seq AND NEW.hlc = OLD.hlc AND NEW.type = OLD.type
  AND NEW.version = OLD.version AND NEW.hash = OLD.hash
  AND substr(OLD.body, 1, 1) <> X'C1' AND substr(NEW.body, 1, 1) = X'C1'
  AND CAST(CAST(substr(NEW.body, 2) AS TEXT) AS INTEGER) = length(OLD.body)
  -- The newest piece that begins before it: looking for any that covers it would walk through all of them.
  AND OLD.seq <= coalesce(
    (SELECT a.last FROM archive a WHERE a.actor = OLD.actor AND a.first <= OLD.seq ORDER BY a.first DESC LIMIT 1), 0)
)
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
