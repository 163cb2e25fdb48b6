-- Goods of which not one more is sold than there are, and who holds the rights to sell them. Per till only what it did
-- itself: kind 0 given, 1 used, 2 handed on to `other`, 3 taken over from `other`. Each row only grows.
ALTER TABLE product ADD COLUMN hard_limited INTEGER NOT NULL DEFAULT 0;
CREATE TABLE escrow (
  sku TEXT NOT NULL, actor INTEGER NOT NULL, kind INTEGER NOT NULL, other INTEGER NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (sku, actor, kind, other)
) STRICT, WITHOUT ROWID;
