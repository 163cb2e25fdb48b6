-- A page of products is read from its place in these, however many products there are; without them all were sorted for each page.
CREATE INDEX product_in_order ON product (favourite DESC, length(name), name) WHERE active;
CREATE INDEX product_in_department ON product (department, favourite DESC, length(name), name) WHERE active;
