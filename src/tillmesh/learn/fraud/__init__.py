"""The fraud score: real sales, written-down scenarios laid into them, 20 features, trees, and how they were judged."""
