"""Readers of file formats, from bytes to named tensors."""
