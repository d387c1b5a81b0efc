"""Datasets that can be downloaded."""
