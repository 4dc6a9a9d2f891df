"""A loaded model writes and scores."""
