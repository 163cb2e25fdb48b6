-- Prices that hold from a time on, in a list or for everybody: rows of the registers "price", to be found by product.
CREATE TABLE price (
  sku TEXT NOT NULL, price_list TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
  price_minor INTEGER NOT NULL, PRIMARY KEY (sku, price_list, from_ms)
) STRICT, WITHOUT ROWID;

-- Which sale used which promotion: limits of coupons count these, and what was voided does not count.
CREATE TABLE promotion_use (
  promotion TEXT NOT NULL, code TEXT NOT NULL, customer_id TEXT NOT NULL, actor INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (promotion, actor, seq)
) STRICT, WITHOUT ROWID;
