-- What an actor's numbers add up to, which is bounded so that no sum passes 64 bits; and how many of its events do not
-- count, because their numbers make no sense or would pass that bound. Counted from here on; a rebuild counts all of it.

ALTER TABLE actor ADD COLUMN weight bigint NOT NULL DEFAULT 0, ADD COLUMN aside bigint NOT NULL DEFAULT 0;
