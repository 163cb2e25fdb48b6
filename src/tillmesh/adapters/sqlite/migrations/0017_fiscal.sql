-- Closes of days, months and years by till, and which receipts a device has signed.
CREATE TABLE period_close (
  terminal TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (terminal, kind, number, actor, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt_signature (
  receipt_actor INTEGER NOT NULL, receipt_seq INTEGER NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (receipt_actor, receipt_seq, actor, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX event_signing ON event (actor, seq) WHERE type IN ('signing_stopped', 'signing_resumed');
