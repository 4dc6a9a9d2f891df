"""Many trainings compared: a race of cells, a sweep of settings."""
