"""What pages measure on loaded models, kept for the next look."""
