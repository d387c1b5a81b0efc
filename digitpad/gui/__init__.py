"""The window: everything that imports Qt lives here, and nothing that computes."""
