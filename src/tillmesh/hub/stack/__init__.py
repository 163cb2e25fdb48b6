"""The servers of a production head office on one machine, without containers: to try it, to test it, to measure it."""
