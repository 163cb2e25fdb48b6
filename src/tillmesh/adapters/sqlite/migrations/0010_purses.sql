-- What events put into purses and took out of them: points, gift cards, what customers owe. A purse is the sum of its rows.
CREATE TABLE purse_entry (
  purse TEXT NOT NULL, account TEXT NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL, n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (purse, account, actor, seq, n)
) STRICT, WITHOUT ROWID;
