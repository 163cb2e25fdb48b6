-- Events that this program keeps and passes on and does not understand: of a type, or a version of one, that is newer.
CREATE TABLE aside (actor INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (actor, seq)) STRICT, WITHOUT ROWID;
