"""How well a model predicts, how much it copies, and how far back it remembers."""
