"""A model that another program trained, as a run that writes."""
