-- Whose signatures count: the authority of each store, and the signed lists of its tills as far as they are known here.

CREATE TABLE trust (store TEXT PRIMARY KEY, authority BLOB NOT NULL, lists BLOB NOT NULL) STRICT, WITHOUT ROWID;
