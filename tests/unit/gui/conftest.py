"""Fixtures for the GUI tests."""

from tests.gui_fixtures import qtbot, recipes, shipped, theme, window

__all__ = ["qtbot", "recipes", "shipped", "theme", "window"]
