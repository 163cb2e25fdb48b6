"""The smallest shared vocabulary: ids, money, quantities, envelopes, limits and errors. Imports nothing of ours."""
