"""The Runs window."""
