"""Tests of numbers of several digits in the Draw tab."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.qt_images import picture_of
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.draw.items_row import ItemsRow
from digitpad.gui.shell.window import Window
from digitpad.ink.strokes import CANVAS_PX
from tests.unit.gui.hand import draw, find, menu_action, placed


def write(qtbot: QtBot, window: Window, text: str) -> DrawTab:
    tab = window.page(DrawTab)
    scale = tab.pad.width() / 500
    for place, digit in enumerate(text):
        draw(tab.pad, placed(int(digit), (50 + 140 * place) * scale, 150 * scale, 110 * scale))
    qtbot.waitUntil(lambda: not tab.reading.is_pending)
    return tab


def answer(tab: DrawTab) -> str:
    return find(tab, QLabel, "answer").text()


def test_a_number_is_read_whole(qtbot: QtBot, window: Window) -> None:
    """The answer is the whole number; each digit has a button, and the first digit is selected."""
    tab = write(qtbot, window, "473")
    assert answer(tab) == "473"
    row = find(tab, ItemsRow)
    assert row.isVisible()
    assert [button.text()[0] for button in row.findChildren(QPushButton) if button.isVisible()] == list("473")
    assert tab.prediction is not None
    assert tab.prediction.label == "4"


def test_digit_of_a_number_can_be_selected(qtbot: QtBot, window: Window) -> None:
    """A digit is selected by its button, an arrow key, or the label of its box, without changing the drawing."""
    tab = write(qtbot, window, "473")
    find(tab, QPushButton, "item_1").click()
    assert tab.prediction is not None
    assert tab.prediction.label == "7"
    qtbot.keyClick(find(tab, QPushButton, "item_1"), Qt.Key.Key_Right)
    assert tab.prediction.label == "3"
    strokes = tab.pad.drawing.strokes
    qtbot.mouseClick(tab.pad, Qt.MouseButton.LeftButton, pos=tab.pad.box_label(0).center().toPoint())
    assert tab.prediction.label == "4"
    assert tab.pad.drawing.strokes == strokes
    assert len(window.session.selected_drawing.strokes) == 2


def test_a_single_digit_has_no_boxes(qtbot: QtBot, window: Window) -> None:
    """A 4 of two strokes is read as a single digit without a button."""
    tab = write(qtbot, window, "4")
    assert answer(tab) == "4"
    assert not find(tab, ItemsRow).isVisible()
    assert window.session.selected_drawing is tab.pad.drawing


def test_numbers_can_be_switched_off(qtbot: QtBot, window: Window) -> None:
    """View › Single digit reads all ink as one digit, and the preference is saved."""
    tab = write(qtbot, window, "47")
    assert answer(tab) == "47"
    menu_action(window, "Single digit").trigger()
    qtbot.waitUntil(lambda: answer(tab) != "47")
    assert window.session.preferences.reads_single_digit
    assert not find(tab, ItemsRow).isVisible()
    menu_action(window, "Single digit").trigger()
    qtbot.waitUntil(lambda: answer(tab) == "47")


def test_a_wide_pad_keeps_the_drawing(qtbot: QtBot, window: Window) -> None:
    """View › Wide pad makes room beside the square, changes neither drawing nor reading, and is saved."""
    tab = write(qtbot, window, "473")
    strokes, side = tab.pad.drawing.strokes, tab.pad.height()
    menu_action(window, "Wide pad").trigger()
    assert window.session.preferences.has_wide_pad
    qtbot.waitUntil(lambda: tab.pad.width() > 2 * tab.pad.height())
    assert tab.pad.drawing.strokes is strokes
    assert answer(tab) == "473"
    height = tab.pad.height()
    draw(tab.pad, placed(1, tab.pad.width() - 0.7 * height, 0.3 * height, 0.4 * height))
    assert tab.pad.drawing.strokes[-1].points[:, 0].min() > CANVAS_PX
    qtbot.waitUntil(lambda: answer(tab) == "4731")
    menu_action(window, "Wide pad").trigger()
    qtbot.waitUntil(lambda: tab.pad.size() == QSize(side, side))
    assert answer(tab) == "4731"
    assert picture_of(tab.pad.drawing).width() > CANVAS_PX  # the copy has all of it
    label = tab.pad.box_label(3)
    assert tab.pad.rect().contains(label.toAlignedRect())
    qtbot.mouseClick(tab.pad, Qt.MouseButton.LeftButton, pos=label.center().toPoint())
    assert tab.prediction is not None
    assert tab.prediction.label == "1"
