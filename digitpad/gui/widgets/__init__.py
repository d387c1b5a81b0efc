"""Widgets, styles and dialogs shared by the tabs."""
