"""Weights files: safe reading, atomic writing and exports."""
