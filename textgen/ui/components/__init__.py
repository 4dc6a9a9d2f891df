"""Figures drawn in the browser by our own JavaScript or SVG."""
