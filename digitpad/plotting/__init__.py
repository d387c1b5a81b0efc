"""Figures for files and for the window."""
