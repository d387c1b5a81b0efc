"""Figures, written to files and shown in the window."""
