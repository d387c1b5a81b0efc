from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from digitpad.gui.bars import ProbabilityBars
from digitpad.gui.draw_tab import DrawTab, PixelView
from digitpad.gui.window import Window
from digitpad.recognizer import Recognizer
from digitpad.weights.weights import Weights
from tests.gui.hand import DIGITS, draw, find, placed


def label(tab: DrawTab, name: str) -> str:
    return find(tab, QLabel, name).text()


def says(tab: DrawTab, answer: str) -> bool:
    return label(tab, "answer") == answer


def test_an_empty_pad_predicts_nothing(window: Window) -> None:
    """It says what to do, and shows no digit and no bar."""
    tab = window.draw_tab
    assert tab.prediction is None
    assert label(tab, "confidence") == "Draw a digit"
    assert label(tab, "answer") == ""
    assert find(tab, ProbabilityBars).accessibleDescription() == "none"


def test_digits_are_read_as_they_are_drawn(qtbot: QtBot, window: Window) -> None:
    """Each digit that the hand draws is read right, by the shipped weights."""
    tab = window.draw_tab
    for digit in DIGITS:
        side = tab.pad.width()
        tab.pad.clear()
        draw(tab.pad, placed(digit, 0.2 * side, 0.2 * side, 0.6 * side))
        qtbot.waitUntil(partial(says, tab, str(digit)))
        assert "sure" in label(tab, "confidence")
        assert label(tab, "runners_up").startswith("Next: ")


def test_prediction_follows_the_pen_before_it_is_lifted(qtbot: QtBot, window: Window) -> None:
    """A stroke in the making is read, but at most once a frame."""
    tab = window.draw_tab
    readings: list[int] = []
    tab._recognizer.read = lambda drawing: readings.append(len(drawing.strokes))  # type: ignore[method-assign]
    side = tab.pad.width()
    path = [(side * (0.3 + 0.0004 * i), side * (0.2 + 0.0006 * i)) for i in range(1000)]
    draw(tab.pad, [path])
    qtbot.waitUntil(lambda: not tab._reading._timer.isActive())
    assert 1 <= len(readings) < 200


def test_clearing_empties_the_answer(qtbot: QtBot, window: Window) -> None:
    """A blank canvas has no prediction."""
    tab = window.draw_tab
    draw(tab.pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(partial(says, tab, "7"))
    qtbot.mouseClick(find(tab, QPushButton, "clear"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(partial(says, tab, ""))
    assert tab.prediction is None


def test_tools_and_keys_agree(qtbot: QtBot, window: Window) -> None:
    """The eraser's button and its key are one switch."""
    tab = window.draw_tab
    eraser = find(tab, QPushButton, "eraser_tool")
    qtbot.mouseClick(eraser, Qt.MouseButton.LeftButton)
    assert tab.pad.erasing
    tab.pad.set_erasing(False)
    assert not eraser.isChecked()


def test_the_slider_sets_the_pen(window: Window) -> None:
    """The next stroke is as wide as the slider says."""
    find(window.draw_tab, QSlider, "pen_size").setValue(40)
    draw(window.draw_tab.pad, [[(50, 50), (100, 100)]])
    assert window.draw_tab.pad.drawing.strokes[0].width_px == 40


def test_undo_buttons_follow_the_stack(qtbot: QtBot, window: Window) -> None:
    """They can be pressed when there is something to undo or redo."""
    tab = window.draw_tab
    undo, redo = find(tab, QPushButton, "undo"), find(tab, QPushButton, "redo")
    assert not undo.isEnabled()
    draw(tab.pad, [[(50, 50), (100, 100)]])
    assert undo.isEnabled()
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert tab.pad.drawing.is_empty
    assert redo.isEnabled()


def test_other_weights_read_at_once(qtbot: QtBot, window: Window, shipped: Weights) -> None:
    """What is on the pad is read again as soon as the weights are others."""
    tab = window.draw_tab
    draw(tab.pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(partial(says, tab, "7"))
    blank = Weights("zero", shipped.architecture, shipped.parameters * 0)
    tab.set_recognizer(Recognizer(blank))
    assert label(tab, "confidence").startswith("10.0")


def test_the_pad_is_square_and_nothing_is_cut_off(qtbot: QtBot, window: Window) -> None:
    """At every size the window can have, the columns lie beside each other within it."""
    tab = window.draw_tab
    pad, card, seen = tab.pad, find(tab, QFrame, "answer_card"), find(tab, PixelView, "seen")

    def settled() -> bool:
        below = seen.mapTo(tab, seen.rect().bottomRight()).y() < tab.height() and pad.geometry().bottom() < tab.height()
        return below and pad.geometry().right() < card.geometry().left()

    for width, height in ((1024, 700), (1120, 800), (1920, 1080)):
        window.resize(width, height)
        qtbot.waitUntil(settled)
        assert pad.width() == pad.height()
        assert window.width() == width


def test_every_control_has_a_name_and_is_reached_by_tab(window: Window) -> None:
    """For those who cannot see or do not use a mouse."""
    for button in window.draw_tab.findChildren(QPushButton):
        assert button.objectName()
        assert button.text()
        assert button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert window.draw_tab.pad.accessibleName()
