-- The log is the truth. Everything below "projections" is rebuilt from it.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE actor (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE event (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL CHECK (seq > 0), hlc INTEGER NOT NULL,
  type TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER event_is_append_only BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

CREATE TRIGGER event_is_kept BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;

CREATE TABLE version_vector (
  actor INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL,
  floor INTEGER NOT NULL DEFAULT 0, floor_hash BLOB
) STRICT;

CREATE TABLE signed_head (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, signature BLOB NOT NULL, signed_ms INTEGER NOT NULL,
  PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer_ack (
  peer TEXT NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (peer, actor)
) STRICT, WITHOUT ROWID;

-- Projections.

CREATE TABLE stock (
  sku TEXT NOT NULL, actor INTEGER NOT NULL, p INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (sku, actor)
) STRICT, WITHOUT ROWID;

CREATE TABLE register (
  entity TEXT NOT NULL, key TEXT NOT NULL, state BLOB NOT NULL, PRIMARY KEY (entity, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE product (
  id INTEGER PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, price_minor INTEGER NOT NULL,
  unit TEXT NOT NULL, tax_code TEXT NOT NULL, department TEXT NOT NULL, barcodes TEXT NOT NULL,
  active INTEGER NOT NULL, favourite INTEGER NOT NULL, track_stock INTEGER NOT NULL,
  low_stock_milli INTEGER NOT NULL, cost_minor INTEGER NOT NULL, colour TEXT NOT NULL, icon TEXT NOT NULL
) STRICT;

CREATE TABLE barcode (barcode TEXT NOT NULL, sku TEXT NOT NULL, PRIMARY KEY (barcode, sku)) STRICT, WITHOUT ROWID;

CREATE INDEX barcode_sku ON barcode (sku);

CREATE VIRTUAL TABLE product_search USING fts5(
  name, sku, barcodes, content='', contentless_delete=1, prefix='2 3', tokenize="unicode61 remove_diacritics 2"
);

CREATE TABLE receipt (
  actor INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, at_ms INTEGER NOT NULL, number TEXT NOT NULL,
  shift_id TEXT NOT NULL, person TEXT NOT NULL, customer_id TEXT NOT NULL,
  total_minor INTEGER NOT NULL, tax_minor INTEGER NOT NULL,
  request INTEGER NOT NULL, -- first 8 bytes of SHA-256 of the caller's idempotency key
  sale_actor INTEGER, sale_seq INTEGER, -- what a refund or void answers
  PRIMARY KEY (actor, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_at ON receipt (at_ms);
CREATE INDEX receipt_number ON receipt (number);
CREATE INDEX receipt_request ON receipt (request);
CREATE INDEX receipt_answers ON receipt (sale_actor, sale_seq) WHERE sale_actor IS NOT NULL;
CREATE INDEX receipt_customer ON receipt (customer_id, at_ms) WHERE customer_id <> '';

CREATE TABLE shift (
  shift_id TEXT PRIMARY KEY, actor INTEGER NOT NULL, seq INTEGER NOT NULL, opened_ms INTEGER NOT NULL,
  closed_actor INTEGER, closed_seq INTEGER, z_number INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX shift_actor ON shift (actor, seq);

CREATE TABLE parked (
  dot TEXT PRIMARY KEY, removed INTEGER NOT NULL, actor INTEGER, seq INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (actor INTEGER NOT NULL, seq INTEGER NOT NULL, hlc INTEGER NOT NULL,
  PRIMARY KEY (hlc, actor, seq)) STRICT, WITHOUT ROWID;

-- Local to this terminal, no part of the log.

CREATE TABLE cart (cart_id TEXT PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cart_operation (cart_id TEXT NOT NULL, op_id TEXT NOT NULL, PRIMARY KEY (cart_id, op_id))
  STRICT, WITHOUT ROWID;

CREATE TABLE print_job (
  job_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, ref TEXT NOT NULL, copy INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'waiting', attempts INTEGER NOT NULL DEFAULT 0, next_at_ms INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX print_job_open ON print_job (state, next_at_ms) WHERE state IN ('waiting', 'printing');

CREATE TABLE pin_failure (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
