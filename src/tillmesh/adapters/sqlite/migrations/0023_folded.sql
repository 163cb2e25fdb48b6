-- Actors that are gone for good, and where the store agreed that their logs end. Their columns of the stock count as one
-- column, of `retired`; when their rows become its rows is each till's own matter.
CREATE TABLE folded (actor INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;
