"""Writing: each drawing is saved at once, with its digit and its writer."""

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.own_digits.records import WRITING
from digitpad.datasets.own_digits.store import DigitStore
from digitpad.gui.my_digits.my_digits_tab import WRITE, MyDigitsTab
from digitpad.gui.my_digits.write_view import WriteView
from digitpad.gui.shell.window import Window
from tests.unit.gui.hand import MY_DIGITS, draw, find, placed


@pytest.fixture
def view(qtbot: QtBot, window: Window) -> WriteView:
    """The view, with a writer's name, and one of each digit to write."""
    window.show_page(MY_DIGITS)
    tab = window.page(MyDigitsTab)
    qtbot.waitUntil(lambda: window.session.corrections.is_open)
    tab.views.choose(WRITE)
    view = tab.write
    view.writer.setCurrentText("pupil 7")
    view._each.setCurrentIndex(0)
    return view


def write(view: WriteView, shape: int = 7) -> None:
    draw(view.pad, placed(shape, 40, 40, 150))


def test_drawings_are_saved_as_they_are_asked_for(qtbot: QtBot, view: WriteView) -> None:
    """By itself a moment after the last stroke, or by Next; skipped digits are left out, and Back writes one again."""
    prompts = view.round.prompts
    write(view)
    qtbot.waitUntil(lambda: view.round.place == 1)
    (first,) = DigitStore().digits
    assert (first.label, first.writer, first.source) == (prompts[0], "pupil 7", WRITING)
    assert view.pad.is_empty
    write(view)
    find(view, QPushButton, "next_digit").click()
    find(view, QPushButton, "skip_digit").click()
    write(view)
    find(view, QPushButton, "next_digit").click()
    assert [digit.label for digit in DigitStore().digits] == [prompts[0], prompts[1], prompts[3]]
    find(view, QPushButton, "previous_digit").click()
    assert not view.pad.is_empty
    assert len(view.pad.drawing.strokes) == len(placed(7, 0, 0, 1))
    assert [digit.label for digit in DigitStore().digits] == [prompts[0], prompts[1]]
    find(view, QPushButton, "clear_digit").click()
    write(view, 4)
    find(view, QPushButton, "next_digit").click()
    assert [digit.label for digit in DigitStore().digits] == [prompts[0], prompts[1], prompts[3]]
    assert find(view, QLabel, "write_count").text() == "5 of 10"
    write(view)
    view.undo()
    assert view.pad.is_empty
    assert view.round.place == 4
    view.undo()
    assert view.round.place == 3
    assert not view.pad.is_empty
    assert len(DigitStore().digits) == 2


def test_a_second_stroke_belongs_to_the_same_digit(view: WriteView) -> None:
    """While the pen is down, or a moment after it, nothing is saved."""
    timer = view.findChild(QTimer, "advancing")
    assert timer is not None
    strokes = placed(4, 40, 40, 150)
    draw(view.pad, strokes[:1])
    assert timer.isActive()
    draw(view.pad, strokes[1:])
    timer.timeout.emit()
    (digit,) = DigitStore().digits
    assert len(digit.paths) == 2


def test_the_next_writer_begins_when_all_is_written(view: WriteView) -> None:
    """A number is counted up, and the names so far are offered."""
    for _ in range(9):
        find(view, QPushButton, "skip_digit").click()
    write(view)
    find(view, QPushButton, "next_digit").click()
    assert find(view, QLabel, "written").text() == "1 digit by pupil 7 saved in My digits."
    assert not view.pad.isEnabled()
    find(view, QPushButton, "next_writer").click()
    assert view.writer.currentText() == "pupil 8"
    assert [view.writer.itemText(place) for place in range(view.writer.count())] == ["pupil 7"]
    assert view.pad.isEnabled()
    assert view.round.place == 0
