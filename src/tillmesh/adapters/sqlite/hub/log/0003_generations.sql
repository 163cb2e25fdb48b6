-- Under which generation of the store's credentials an entry was let in: its term counts among those of the same one.

ALTER TABLE entry ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
