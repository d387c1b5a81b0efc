"""Dialogs and tasks to import networks of other programs."""
