"""Activation, scaling and image layout, inferred where a file does not state them."""
