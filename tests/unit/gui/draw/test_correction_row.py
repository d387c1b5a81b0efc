"""Tests of corrections in the Draw tab."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.own_digits.store import DigitStore
from digitpad.gui.draw.correction_row import CorrectionRow
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.window import Window
from digitpad.nn.losses import NONE
from tests.unit.gui.hand import draw, find, placed


@pytest.fixture
def tab(qtbot: QtBot, window: Window) -> DrawTab:
    """Return the Draw tab with a drawing that is read as 7."""
    qtbot.waitUntil(lambda: window.session.corrections.memory is not None)
    tab = window.page(DrawTab)
    draw(tab.pad, placed(7, 100, 100, 250))
    qtbot.waitUntil(lambda: answer(tab) == "7")
    return tab


def answer(tab: DrawTab) -> str:
    return find(tab, QLabel, "answer").text()


def test_correction_takes_effect_at_once(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """After one correction, a similar drawing is read as corrected, the reason is shown, and it is in My digits."""
    find(tab, QPushButton, "was_2").click()
    qtbot.waitUntil(lambda: answer(tab) == "2")
    assert "as you corrected on " in find(tab, QLabel, "reading_time").text()
    tab.pad.clear()
    draw(tab.pad, placed(7, 120, 90, 260))
    qtbot.waitUntil(lambda: answer(tab) == "2")
    assert [digit.label for digit in DigitStore().digits] == [2]


def test_correction_can_be_undone(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """Undo restores the earlier answer and removes the drawing from My digits."""
    find(tab, QPushButton, "was_2").click()
    qtbot.waitUntil(lambda: answer(tab) == "2")
    assert window.session.undo_stack.undoText() == "Correction"
    window.session.undo_stack.undo()
    qtbot.waitUntil(lambda: answer(tab) == "7")
    assert DigitStore().digits == ()


def test_drawing_can_be_corrected_to_no_digit(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """A drawing that is corrected to "not a digit" becomes not sure, and is kept in My digits."""
    find(tab, QPushButton, "was_none").click()
    qtbot.waitUntil(lambda: find(tab, QLabel, "confidence").text() == "Not sure")
    assert [digit.label for digit in DigitStore().digits] == [NONE]


def test_keys_correct(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """Alt and a digit key correct the answer."""
    window.activateWindow()
    qtbot.keyClick(tab.pad, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: answer(tab) == "2")


def test_an_empty_pad_has_nothing_to_correct(window: Window) -> None:
    """The row of corrections is hidden while the pad is empty."""
    assert not find(window.page(DrawTab), CorrectionRow).isVisible()
