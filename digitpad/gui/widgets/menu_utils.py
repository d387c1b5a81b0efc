"""Menu actions."""

from collections.abc import Callable

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

Key = QKeySequence.StandardKey | str | None


def add_action(menu: QMenu, text: str, slot: Callable[[], object], key: Key = None) -> QAction:
    """Add an action that calls ``slot`` without arguments, and return it."""
    action = menu.addAction(text)
    if key is not None:
        action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda _checked=False: slot())
    return action
