"""From a text and its settings to a run folder."""
