"""A window for each test of the GUI."""

from tests.gui_fixtures import qtbot, recipes, shipped, theme, window

__all__ = ["qtbot", "recipes", "shipped", "theme", "window"]
