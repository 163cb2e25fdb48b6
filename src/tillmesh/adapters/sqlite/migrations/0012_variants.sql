-- Variants of products, and goods that only people of an age may buy.
ALTER TABLE product ADD COLUMN parent TEXT NOT NULL DEFAULT '';
ALTER TABLE product ADD COLUMN options TEXT NOT NULL DEFAULT '';
ALTER TABLE product ADD COLUMN min_age INTEGER NOT NULL DEFAULT 0;
