"""A window for the tests that want one."""

from tests.gui_fixtures import qapp, qtbot, recipes, shipped, theme, window

__all__ = ["qapp", "qtbot", "recipes", "shipped", "theme", "window"]
