"""What a model is trained on: batches of a text, of a streamed text, or of a recall task."""
