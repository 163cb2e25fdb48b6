-- A page that is opened anew shows the cart that was touched last, not the one whose random id comes first.
ALTER TABLE cart ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;
