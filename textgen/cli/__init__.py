"""The `textgen` command."""
