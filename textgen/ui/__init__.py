"""Widgets, pages, plots and words. Nothing here computes with a model but by its `Generator`."""
