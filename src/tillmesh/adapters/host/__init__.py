"""Files beside the database: keys, the anchor that tells a copy from the original, the reserve for a full disk."""
