-- Local to this terminal, no part of the log: what its card terminal was asked, stored before it is sent.
CREATE TABLE card_payment (
  payment_id TEXT PRIMARY KEY, cart_id TEXT NOT NULL, state TEXT NOT NULL, asked_ms INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL, body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_payment_cart ON card_payment (cart_id, asked_ms);
CREATE INDEX card_payment_open ON card_payment (asked_ms) WHERE state IN ('created', 'sent', 'waiting_card', 'unknown');
