"""GUI fixtures for the integration tests."""

from tests.gui_fixtures import qapp, qtbot, recipes, shipped, theme, window

__all__ = ["qapp", "qtbot", "recipes", "shipped", "theme", "window"]
