"""A model to take along: as one page that writes without textgen, Python or a network."""
