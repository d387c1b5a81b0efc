"""Widgets, styles and dialogs that tabs share."""
