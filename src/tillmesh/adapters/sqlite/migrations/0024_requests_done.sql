-- Local to this terminal, no part of the log: what was asked under a name of the caller's and is done, with the event that it became.
-- Asked again, because the answer was lost, it is answered with that event.

CREATE TABLE request_done (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, reply TEXT NOT NULL) STRICT;
