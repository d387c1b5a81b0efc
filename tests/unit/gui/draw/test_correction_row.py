"""Tests of corrections in the Draw tab."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton
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
    assert find(tab, QLabel, "reading_time").accessibleName().startswith("As you corrected on ")
    tab.pad.clear()
    draw(tab.pad, placed(7, 120, 90, 260))
    qtbot.waitUntil(lambda: answer(tab) == "2")
    assert [digit.label for digit in DigitStore().digits] == [2]


def test_reason_does_not_cover_the_pad(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """The reason for a corrected answer does not widen the prediction, which would cover the pad."""
    window.resize(1024, 800)
    find(tab, QPushButton, "was_2").click()
    qtbot.waitUntil(lambda: answer(tab) == "2")
    qtbot.wait(200)  # layouts follow changed sizes
    assert tab.pad.geometry().right() < find(tab, QFrame, "answer_card").geometry().left()


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


def test_a_right_answer_is_kept_once(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """Confirming adds the drawing; saying otherwise afterwards relabels it; Undo takes back one after the other."""
    confirm = find(tab, QPushButton, "was_right")
    confirm.click()
    qtbot.waitUntil(lambda: confirm.text() == "✓ Kept")
    assert not confirm.isEnabled()
    (digit,) = DigitStore().digits
    assert (digit.label, digit.source, digit.read_as) == (7, "confirmation", 7)
    find(tab, QPushButton, "was_2").click()
    qtbot.waitUntil(lambda: answer(tab) == "2")
    assert [(each.id, each.label) for each in DigitStore().digits] == [(digit.id, 2)]
    window.session.undo_stack.undo()
    qtbot.waitUntil(lambda: answer(tab) == "7")
    window.session.undo_stack.undo()
    qtbot.waitUntil(confirm.isEnabled)
    assert DigitStore().digits == ()
    draw(tab.pad, placed(1, 300, 100, 60))
    qtbot.waitUntil(lambda: confirm.text() == "Right? ✓")


def test_the_memory_can_be_switched_off(qtbot: QtBot, window: Window, tab: DrawTab) -> None:
    """Then the network alone reads, until the memory is switched on again."""
    find(tab, QPushButton, "was_2").click()
    qtbot.waitUntil(lambda: answer(tab) == "2")
    window.session.set_uses_memory(False)
    qtbot.waitUntil(lambda: answer(tab) == "7")
    window.session.set_uses_memory(True)
    qtbot.waitUntil(lambda: answer(tab) == "2")
