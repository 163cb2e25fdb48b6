-- What cameras learnt of products: small, and needed for as long as the product is sold, so a projection of its own.
CREATE TABLE example (
  sku TEXT NOT NULL, hlc INTEGER NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  space TEXT NOT NULL, replaces INTEGER NOT NULL, vectors BLOB NOT NULL, PRIMARY KEY (sku, hlc, actor, seq)
) STRICT, WITHOUT ROWID;
