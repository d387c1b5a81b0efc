"""Choosing, viewing and downloading datasets."""
