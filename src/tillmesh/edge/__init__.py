"""Decisions about predictions: features, scores, forecasts, deadlines. Pure, and the same in training and serving."""
