-- Pictures of products. A product names its picture by hash, media and size; that is a field of its register.
ALTER TABLE product ADD COLUMN image TEXT NOT NULL DEFAULT '';
CREATE INDEX product_image ON product (image) WHERE image <> '';
-- The pictures themselves are local to this terminal, no part of the log: each can be had from another till that has it.
CREATE TABLE picture (
  sha256 TEXT PRIMARY KEY, media TEXT NOT NULL, size INTEGER NOT NULL, own INTEGER NOT NULL, used_ms INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX picture_shelf ON picture (used_ms, sha256, size, own);
