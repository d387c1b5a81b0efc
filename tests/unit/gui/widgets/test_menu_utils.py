"""Tests of key sequences as the platform writes them."""

import sys

import pytest
from PySide6.QtGui import QKeySequence

from digitpad.gui.widgets import menu_utils
from digitpad.gui.widgets.menu_utils import delete_keys, with_native_keys


def test_keys_are_written_as_usual_here() -> None:
    """On systems other than macOS, key names are those of Qt."""
    text = "Train (Ctrl+T), or Ctrl+Shift+F; Ctrl+. stops (Alt+A)"
    assert with_native_keys(text) == text


def test_macs_have_their_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS, modifiers are symbols, there are no keys for underlined letters, and Backspace deletes."""
    symbols = str.maketrans({"+": None})
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(
        menu_utils, "_native", lambda keys: keys.replace("Ctrl", "⌘").replace("Shift", "⇧").translate(symbols)
    )
    assert with_native_keys("Train (Ctrl+T)") == "Train (⌘T)"
    assert with_native_keys("Find (Ctrl+Shift+F), Ctrl+. stops") == "Find (⌘⇧F), ⌘. stops"
    assert with_native_keys("Draw again (Alt+A)") == "Draw again"
    assert QKeySequence("Backspace") in delete_keys()
