-- What was noted about each order of goods: placed, delivered, given up.
CREATE TABLE purchase (
  order_id TEXT NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (order_id, actor, seq)
) STRICT, WITHOUT ROWID;
