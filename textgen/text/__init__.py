"""Files, folders, tables and datasets become texts, and a text is examined before training."""
