-- What a sale takes from the stock is noted in one row, and folded into the columns with many others later: twenty lines
-- were twenty leaf pages to write. Whoever asks for stock asks the view: columns and notes together, always exact.
ALTER TABLE stock RENAME TO stock_column;

CREATE TABLE stock_tail (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  moves TEXT NOT NULL, -- JSON: {sku: signed thousandths}
  PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;

-- More than one row per (sku, actor) is possible: sum them.
CREATE VIEW stock (sku, actor, p, n) AS
  SELECT sku, actor, p, n FROM stock_column
  UNION ALL
  SELECT m.key, t.actor, max(0, m.value), max(0, -m.value) FROM stock_tail t, json_each(t.moves) m;
