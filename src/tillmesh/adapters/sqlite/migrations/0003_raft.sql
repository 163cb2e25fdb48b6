-- What this terminal promised the others of its store: term and vote, the log, the snapshot under it. Local, no part of
-- the event log. Replaced only as a whole by a snapshot that came from the leader.
CREATE TABLE raft_state (
  one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL, vote BLOB, commit_index INTEGER NOT NULL,
  base INTEGER NOT NULL, base_term INTEGER NOT NULL, -- the entry before the first that is kept
  snapshot BLOB NOT NULL, applied INTEGER NOT NULL, conf BLOB NOT NULL -- of the state machine of this terminal
) STRICT;

CREATE TABLE raft_entry (
  idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, conf_change INTEGER NOT NULL, data BLOB NOT NULL
) STRICT;
