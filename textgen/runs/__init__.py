"""A run folder: written one whole file at a time, read with suspicion."""
