-- Totals of each store, kept up with every entry: a page that shows all stores must not add up their sales each time.

ALTER TABLE store ADD COLUMN sales INTEGER NOT NULL DEFAULT 0;
ALTER TABLE store ADD COLUMN revenue_minor INTEGER NOT NULL DEFAULT 0;

UPDATE store SET
  sales = (SELECT coalesce(sum(t.kind = 0), 0) FROM sale t WHERE t.store = store.id),
  revenue_minor = (
    SELECT coalesce(sum(CASE t.kind WHEN 0 THEN t.total_minor ELSE -t.total_minor END), 0)
    FROM sale t WHERE t.store = store.id
  );
