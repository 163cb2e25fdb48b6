-- What the event log adds up to. Every row belongs to one store; nothing is asked without naming it.
-- Large tables lie in 16 parts by store; those that grow with time have a part for each week in which a store sold.
-- Texts sort by bytes, so that the hash over everything is the same as that of any other kind of master database.

CREATE TABLE position (part text COLLATE "C" PRIMARY KEY, entry bigint NOT NULL);

CREATE TABLE store (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE,
  term bigint NOT NULL DEFAULT 0, sender text COLLATE "C" NOT NULL DEFAULT '', last_sync_ms bigint NOT NULL DEFAULT 0,
  sales bigint NOT NULL DEFAULT 0, revenue_minor bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE actor (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, store bigint NOT NULL, name text COLLATE "C" NOT NULL,
  seq bigint NOT NULL DEFAULT 0, hash bytea NOT NULL, hlc bigint NOT NULL DEFAULT 0, UNIQUE (store, name)
) WITH (fillfactor = 50);

CREATE TABLE event (
  store bigint NOT NULL, actor bigint NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL,
  PRIMARY KEY (store, actor, seq)
) PARTITION BY HASH (store);

CREATE TABLE outbox (
  store bigint NOT NULL, actor bigint NOT NULL, seq bigint NOT NULL, hlc bigint NOT NULL,
  type text COLLATE "C" NOT NULL, version int NOT NULL, body bytea NOT NULL, prev_hash bytea NOT NULL,
  hash bytea NOT NULL, PRIMARY KEY (store, actor, seq)
);

CREATE TABLE sale (
  store bigint NOT NULL, at_ms bigint NOT NULL, actor bigint NOT NULL, seq bigint NOT NULL, kind smallint NOT NULL,
  number text COLLATE "C" NOT NULL, person text COLLATE "C" NOT NULL, customer_id text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL, total_minor bigint NOT NULL, tax_minor bigint NOT NULL,
  discount_minor bigint NOT NULL, rounding_minor bigint NOT NULL, answers text COLLATE "C" NOT NULL,
  PRIMARY KEY (store, at_ms, actor, seq)
) PARTITION BY HASH (store);

CREATE TABLE line (
  store bigint NOT NULL, at_ms bigint NOT NULL, actor bigint NOT NULL, seq bigint NOT NULL, line int NOT NULL,
  kind smallint NOT NULL, sku text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
  quantity_milli bigint NOT NULL, total_minor bigint NOT NULL, tax_minor bigint NOT NULL,
  PRIMARY KEY (store, at_ms, actor, seq, line)
) PARTITION BY HASH (store);

CREATE TABLE payment (
  store bigint NOT NULL, at_ms bigint NOT NULL, actor bigint NOT NULL, seq bigint NOT NULL, payment int NOT NULL,
  kind smallint NOT NULL, method text COLLATE "C" NOT NULL, amount_minor bigint NOT NULL,
  PRIMARY KEY (store, at_ms, actor, seq, payment)
) PARTITION BY HASH (store);

CREATE TABLE stock (
  store bigint NOT NULL, sku text COLLATE "C" NOT NULL, actor bigint NOT NULL, p bigint NOT NULL, n bigint NOT NULL,
  PRIMARY KEY (store, sku, actor)
) PARTITION BY HASH (store);

CREATE TABLE register (
  store bigint NOT NULL, entity text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, state bytea NOT NULL,
  PRIMARY KEY (store, entity, key)
) PARTITION BY HASH (store);

CREATE TABLE product (
  store bigint NOT NULL, sku text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, price_minor bigint NOT NULL,
  department text COLLATE "C" NOT NULL, active smallint NOT NULL, PRIMARY KEY (store, sku)
) PARTITION BY HASH (store);

DO $$
DECLARE
  tab text;
BEGIN
  FOR n IN 0..15 LOOP
    FOREACH tab IN ARRAY ARRAY['event', 'register', 'product'] LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s)', tab || '_' || n, tab, n);
    END LOOP;
    -- Counters are written again and again: room in each page keeps that away from the indexes.
    EXECUTE format('CREATE TABLE %I PARTITION OF stock FOR VALUES WITH (MODULUS 16, REMAINDER %s) WITH (fillfactor = 70)',
                   'stock_' || n, n);
    FOREACH tab IN ARRAY ARRAY['sale', 'line', 'payment'] LOOP
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s) PARTITION BY RANGE (at_ms)',
                     tab || '_' || n, tab, n);
      -- For weeks that are far from when head office heard of them: a till whose clock is wrong.
      EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', tab || '_' || n || '_other', tab || '_' || n);
    END LOOP;
  END LOOP;
END $$;

-- Which of the 16 parts a store lies in.
CREATE FUNCTION part_of(wanted bigint) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT n FROM generate_series(0, 15) AS n WHERE satisfies_hash_partition('sale'::regclass, 16, n, wanted)
$$;

-- Make room of its own for a week (counted from 1970) in one part.
CREATE FUNCTION make_week(part int, week bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  tab text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext(current_schema() || ' weeks'));
  FOREACH tab IN ARRAY ARRAY['sale', 'line', 'payment'] LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                   tab || '_' || part || '_w' || week, tab || '_' || part, week * 604800000, (week + 1) * 604800000);
  END LOOP;
END $$;

-- Decided here, not made from the log.

CREATE TABLE fence (
  store text COLLATE "C" NOT NULL, actor text COLLATE "C" NOT NULL, detail text NOT NULL, at_ms bigint NOT NULL,
  PRIMARY KEY (store, actor)
);
