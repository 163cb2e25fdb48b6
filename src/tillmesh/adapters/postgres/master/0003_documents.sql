-- One row for each receipt, with its lines and payments inside, and one for each stretch of a till's log instead of one
-- for each of its events: what a batch writes is a third of the rows. Whoever reads finds lines and payments as before,
-- as views. Everything here is made from the event log: it is emptied, and the next start fills it again.

TRUNCATE position, store, actor, event, outbox, sale, line, payment, stock, register, product;
DROP TABLE event;
DROP TABLE line;
DROP TABLE payment;

ALTER TABLE sale ADD COLUMN lines text COLLATE "C" NOT NULL DEFAULT '[]';  -- JSON: [[sku, name, quantity, total, tax], ...]
ALTER TABLE sale ADD COLUMN payments text COLLATE "C" NOT NULL DEFAULT '[]';  -- JSON: [[method, amount], ...]

CREATE VIEW line AS
  SELECT s.store, s.at_ms, s.actor, s.seq, (l.n - 1)::int AS line, s.kind, (l.said ->> 0) COLLATE "C" AS sku,
    (l.said ->> 1) COLLATE "C" AS name, (l.said ->> 2)::bigint AS quantity_milli, (l.said ->> 3)::bigint AS total_minor,
    (l.said ->> 4)::bigint AS tax_minor
  FROM sale s CROSS JOIN LATERAL json_array_elements(s.lines::json) WITH ORDINALITY AS l (said, n);

CREATE VIEW payment AS
  SELECT s.store, s.at_ms, s.actor, s.seq, (p.n - 1)::int AS payment, s.kind, (p.said ->> 0) COLLATE "C" AS method,
    (p.said ->> 1)::bigint AS amount_minor
  FROM sale s CROSS JOIN LATERAL json_array_elements(s.payments::json) WITH ORDINALITY AS p (said, n);

-- The hashes of a till's events from one on, 32 bytes each: whether an event that comes again is the same.
CREATE TABLE stretch (
  store bigint NOT NULL, actor bigint NOT NULL, first bigint NOT NULL, hashes bytea NOT NULL,
  PRIMARY KEY (store, actor, first)
) PARTITION BY HASH (store);
ALTER TABLE stretch ALTER COLUMN hashes SET STORAGE EXTERNAL;  -- hashes do not compress

DO $$
BEGIN
  FOR n IN 0..15 LOOP
    EXECUTE format('CREATE TABLE %I PARTITION OF stretch FOR VALUES WITH (MODULUS 16, REMAINDER %s)', 'stretch_' || n, n);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION make_week(part int, week bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext(current_schema() || ' weeks'));
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF sale_%s FOR VALUES FROM (%s) TO (%s)',
                 'sale_' || part || '_w' || week, part, week * 604800000, (week + 1) * 604800000);
END $$;
