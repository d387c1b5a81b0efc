"""Dialogs and widgets to choose, view and download datasets."""
