-- Rows are held once per event: whatever is inserted again is replaced by itself, and every question reads with FINAL.
-- Nothing here adds up at insertion: a view that sums counts a repeated insert twice, also over a table that replaces.
-- The time is part of each key and of each partition: an event never changes it, so repeats always meet.

CREATE TABLE IF NOT EXISTS sale (
  store LowCardinality(String), actor LowCardinality(String), seq Int64, kind Int8, at_ms Int64, total_minor Int64,
  tax_minor Int64, answers String
) ENGINE = ReplacingMergeTree PARTITION BY intDiv(at_ms, 31536000000) ORDER BY (store, at_ms, actor, seq);

CREATE TABLE IF NOT EXISTS line (
  store LowCardinality(String), actor LowCardinality(String), seq Int64, line Int32, kind Int8, at_ms Int64, sku String,
  name String, quantity_milli Int64, total_minor Int64, tax_minor Int64
) ENGINE = ReplacingMergeTree PARTITION BY intDiv(at_ms, 31536000000) ORDER BY (store, at_ms, actor, seq, line);

CREATE TABLE IF NOT EXISTS head (store String, actor String, seq Int64)
ENGINE = ReplacingMergeTree(seq) ORDER BY (store, actor);

ALTER TABLE head ADD COLUMN IF NOT EXISTS weight Int64 DEFAULT 0;

CREATE TABLE IF NOT EXISTS position (part String, entry Int64) ENGINE = ReplacingMergeTree(entry) ORDER BY part
