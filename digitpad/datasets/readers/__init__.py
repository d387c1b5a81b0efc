"""Readers: one dataset format per module."""
