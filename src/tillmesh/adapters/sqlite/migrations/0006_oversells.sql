-- What was decided about oversold products and how it ended: a projection of its own, as back-orders outlive the log's
-- bodies. One product's notes are read whenever its stock goes up.
CREATE TABLE oversell (
  sku TEXT NOT NULL, hlc INTEGER NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  type TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (sku, hlc, actor, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX oversell_at ON oversell (hlc);

-- Deliveries and counts of a product are asked for when it is oversold: few events among very many sales.
CREATE INDEX event_stock ON event (hlc) WHERE type IN ('stock_received', 'stock_counted', 'stock_adjusted');
