"""Inference of the activation, scaling and image layout that a file does not state."""
