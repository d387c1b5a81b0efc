"""Menu actions, and key sequences as the platform writes them."""

import re
import sys
from collections.abc import Callable

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

Key = QKeySequence.StandardKey | str | None

_KEYS = re.compile(r"\b(?:(?:Ctrl|Alt|Shift)\+)+(?:[A-Z][a-z]+|[^\s),;])")
_MNEMONIC = re.compile(r" \(Alt\+[A-Z]\)")  # macOS has no keys for underlined letters


def add_action(menu: QMenu, text: str, slot: Callable[[], object], key: Key = None) -> QAction:
    """Add an action that calls ``slot`` without arguments, and return it."""
    action = menu.addAction(text)
    if key is not None:
        action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda _checked=False: slot())
    return action


def with_native_keys(text: str) -> str:
    """Return a text with its key sequences as the platform writes them: Ctrl+T is ⌘T on macOS."""
    if sys.platform == "darwin":
        text = _MNEMONIC.sub("", text)
    return _KEYS.sub(lambda keys: _native(keys[0]), text)


def delete_keys() -> list[QKeySequence]:
    """Return the keys that delete; on macOS, Backspace as well."""
    keys = [QKeySequence(QKeySequence.StandardKey.Delete)]
    return [*keys, QKeySequence("Backspace")] if sys.platform == "darwin" else keys


def _native(keys: str) -> str:
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
