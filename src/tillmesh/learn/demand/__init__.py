"""How good the forecasts are on real sales that they never saw."""
