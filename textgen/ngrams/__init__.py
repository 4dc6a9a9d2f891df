"""Counts of what follows what, and their mixture with what a network predicts."""
