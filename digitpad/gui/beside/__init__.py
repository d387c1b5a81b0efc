"""Panels beside the tabs: the history of drawings, and a second network."""
