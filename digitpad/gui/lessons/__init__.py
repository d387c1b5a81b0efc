"""Lessons in the window: the panel with the steps, the pointer, and the checks."""
