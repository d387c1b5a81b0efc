"""Evaluate tab."""
