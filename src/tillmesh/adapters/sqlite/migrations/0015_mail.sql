-- Local to this terminal, no part of the log: receipts on their way to a mail server. A row goes once its mail is sent.

CREATE TABLE mail (
  mail_id TEXT PRIMARY KEY, event TEXT NOT NULL, recipient TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  next_ms INTEGER NOT NULL DEFAULT 0, created_ms INTEGER NOT NULL, error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
