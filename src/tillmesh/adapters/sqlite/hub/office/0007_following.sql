-- For which groups and stores a plan was made: when a group's stores change, what was planned for it follows them.

ALTER TABLE plan ADD COLUMN follows TEXT NOT NULL DEFAULT '[]';
ALTER TABLE plan ADD COLUMN named TEXT NOT NULL DEFAULT '[]';
