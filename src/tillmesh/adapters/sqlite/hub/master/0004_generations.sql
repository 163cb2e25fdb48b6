-- Under which generation of the store's credentials its newest term was claimed: one that was revoked claims nothing.

ALTER TABLE store ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
