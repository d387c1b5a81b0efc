"""How an action comes into a menu."""

from collections.abc import Callable

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

Key = QKeySequence.StandardKey | str | None


def add_action(menu: QMenu, text: str, slot: Callable[[], object], key: Key = None) -> QAction:
    """An action that calls ``slot``, with neither its sender nor whether it is checked."""
    action = menu.addAction(text)
    if key is not None:
        action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda _checked=False: slot())
    return action
