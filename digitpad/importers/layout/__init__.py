"""Matching of named tensors to the layers of a network."""
