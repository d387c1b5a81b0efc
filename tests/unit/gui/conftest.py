"""Fixtures for the GUI tests."""

from tests.gui_fixtures import qapp, qtbot, recipes, shipped, theme, window

__all__ = ["qapp", "qtbot", "recipes", "shipped", "theme", "window"]
