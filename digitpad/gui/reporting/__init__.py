"""Saving reports from the tabs and the Runs window."""
