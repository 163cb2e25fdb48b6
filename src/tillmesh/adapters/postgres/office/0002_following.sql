-- For which groups and stores a plan was made: when a group's stores change, what was planned for it follows them.

ALTER TABLE plan ADD COLUMN follows text NOT NULL DEFAULT '[]', ADD COLUMN named text NOT NULL DEFAULT '[]';
