"""A window for each test of the GUI."""

from tests.gui_fixtures import qapp, qtbot, recipes, shipped, theme, window

__all__ = ["qapp", "qtbot", "recipes", "shipped", "theme", "window"]
