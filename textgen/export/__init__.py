"""A model to take along, where textgen is not: a page that writes, a Keras model, an ONNX graph."""
