"""Plots, a file for each page that has its own. Colours come from the theme."""
