from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.pixel_view import PixelView
from digitpad.gui.canvas.probability_bars import ProbabilityBars
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.inspect.inspect_tab import InspectTab
from digitpad.gui.shell.window import Window
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.number_format import format_percent
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.recognizer import Prediction
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import DIGITS, DRAW, INSIDE, draw, find, mouse, placed


@pytest.fixture
def unsure(shipped: Weights) -> Weights:
    """The built-in weights with a confidence threshold that no prediction reaches."""
    return replace(shipped, parameters=shipped.parameters * np.float32(0.9), about={"sure_above": 1.0})


def label(tab: DrawTab, name: str) -> str:
    return find(tab, QLabel, name).text()


def says(tab: DrawTab, answer: str) -> bool:
    return label(tab, "answer") == answer


def assert_other_guesses_are_listed(tab: DrawTab) -> None:
    """Check that the second and third class are listed if their probability is at least 1 %."""
    prediction = tab.prediction
    assert prediction is not None
    guesses = [
        f"{prediction.class_names[index]} ({format_percent(prediction.probabilities[index])})"
        for index in prediction.ranking[1:3]
        if prediction.probabilities[index] >= 0.01
    ]
    assert label(tab, "runners_up") == (f"Other guesses: {', '.join(guesses)}" if guesses else "")


def test_other_guesses_are_hidden_below_one_percent(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sure prediction lists the second and third class from 1 % on."""
    tab = window.page(DrawTab)
    for second, third, expected in (
        (0.02, 0.01, "Other guesses: 1 (2.0\N{NO-BREAK SPACE}%), 2 (1.0\N{NO-BREAK SPACE}%)"),
        (0.02, 0.009, "Other guesses: 1 (2.0\N{NO-BREAK SPACE}%)"),
        (0.009, 0.008, ""),
    ):
        probabilities = (1 - second - third, second, third, *[0.0] * 7)
        tab.show_prediction(Prediction(0, probabilities, True, np.zeros((28, 28), np.uint8), 1.0))
        assert label(tab, "runners_up") == expected


def test_an_empty_pad_predicts_nothing(window: Window) -> None:
    """An empty pad shows a hint, no digit and no bars."""
    tab = window.page(DrawTab)
    assert tab.prediction is None
    assert label(tab, "confidence") == "Draw a digit"
    assert label(tab, "answer") == ""
    assert find(tab, ProbabilityBars).accessibleDescription() == "none"


def test_digits_are_recognised(qtbot: QtBot, window: Window) -> None:
    """The built-in network reads each drawn digit correctly."""
    tab = window.page(DrawTab)
    for digit in DIGITS:
        side = tab.pad.width()
        tab.pad.clear()
        draw(tab.pad, placed(digit, 0.2 * side, 0.2 * side, 0.6 * side))
        qtbot.waitUntil(partial(says, tab, str(digit)))
        assert "sure" in label(tab, "confidence")
        assert_other_guesses_are_listed(tab)


def test_prediction_is_updated_during_a_stroke(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unfinished stroke is read at most once per frame."""
    tab = window.page(DrawTab)
    readings: list[int] = []
    read = lambda _, drawing, single: readings.append(len(drawing.strokes))  # noqa: E731
    monkeypatch.setattr(NumberReader, "read", read)
    side = tab.pad.width()
    path = [(side * (0.3 + 0.0004 * i), side * (0.2 + 0.0006 * i)) for i in range(1000)]
    draw(tab.pad, [path])
    qtbot.waitUntil(lambda: not tab.reading.is_pending)
    assert 1 <= len(readings) < 200


def test_clearing_removes_the_prediction(qtbot: QtBot, window: Window) -> None:
    """Clearing the pad removes the prediction."""
    tab = window.page(DrawTab)
    draw(tab.pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(partial(says, tab, "7"))
    qtbot.mouseClick(find(tab, QPushButton, "clear"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(partial(says, tab, ""))
    assert tab.prediction is None


def test_tool_buttons_and_keys_stay_in_sync(qtbot: QtBot, window: Window) -> None:
    """Buttons and keys of the pen and the eraser stay in sync with the pad."""
    tab = window.page(DrawTab)
    eraser = find(tab, QPushButton, "eraser_tool")
    qtbot.mouseClick(eraser, Qt.MouseButton.LeftButton)
    assert tab.pad.erasing
    tab.pad.set_erasing(False)
    assert not eraser.isChecked()
    for key, erasing in ((Qt.Key.Key_E, True), (Qt.Key.Key_P, False)):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda erasing=erasing: tab.pad.erasing is erasing)  # type: ignore[misc]
        assert eraser.isChecked() is erasing


def test_the_slider_sets_the_pen(window: Window) -> None:
    """The slider sets the width of the next stroke."""
    find(window.page(DrawTab), QSlider, "pen_size").setValue(40)
    draw(window.page(DrawTab).pad, [[(50, 50), (100, 100)]])
    assert window.page(DrawTab).pad.drawing.strokes[0].width_px == 40


def test_undo_buttons_follow_the_stack(qtbot: QtBot, window: Window) -> None:
    """The undo and redo buttons are enabled if there is something to undo or redo."""
    tab = window.page(DrawTab)
    undo, redo = find(tab, QPushButton, "undo"), find(tab, QPushButton, "redo")
    assert not undo.isEnabled()
    draw(tab.pad, [[(50, 50), (100, 100)]])
    assert undo.isEnabled()
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert tab.pad.drawing.is_empty
    assert redo.isEnabled()


def test_new_network_reads_the_drawing_at_once(qtbot: QtBot, window: Window, shipped: Weights) -> None:
    """A new network reads the current drawing at once."""
    tab = window.page(DrawTab)
    draw(tab.pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(partial(says, tab, "7"))
    blank = Weights("zero", shipped.architecture, shipped.parameters * 0)
    window.session.use_network(blank)
    assert label(tab, "runners_up") == "This doesn't look like a digit"


def test_unsure_prediction_shows_a_question_mark(qtbot: QtBot, window: Window, unsure: Weights) -> None:
    """An unsure prediction shows a question mark and the likely digits, without moving the layout."""
    tab = window.page(DrawTab)
    answer = find(tab, QLabel, "answer")
    draw(tab.pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(partial(says, tab, "7"))
    places = [find(tab, QLabel, name).geometry() for name in ("answer", "confidence", "runners_up", "reading_time")]
    assert answer.font().bold()
    window.session.use_network(unsure)
    assert says(tab, "?")
    assert answer.accessibleName() == "Not sure"
    assert not answer.font().bold()
    assert answer.palette().windowText().color().name() == window.session.theme.tokens.soft
    assert label(tab, "confidence") == "Not sure"
    assert label(tab, "runners_up").startswith("Could be 7 (")
    assert not find(tab, ProbabilityBars).sure
    assert places == [
        find(tab, QLabel, name).geometry() for name in ("answer", "confidence", "runners_up", "reading_time")
    ]
    window.networks.use_built_in()
    assert says(tab, "7")
    assert answer.font().bold()


def test_prediction_and_confidence_are_announced(
    qtbot: QtBot, window: Window, unsure: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Screen readers get the prediction, its confidence, and the first change that would alter it."""
    messages: list[str] = []
    accessible = SimpleNamespace(updateAccessibility=lambda event: messages.append(event.message()))
    monkeypatch.setattr("digitpad.gui.draw.draw_tab.QAccessible", accessible)
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(lambda: len(messages) == 1)
    assert messages[0].startswith("7, ")
    assert messages[0].endswith("sure")
    window.session.use_network(unsure)
    window.page(DrawTab).seen.set_explains(True)
    window.page(DrawTab).pad.undo_stack.undo()
    window.page(DrawTab).pad.undo_stack.redo()
    qtbot.waitUntil(lambda: not window.page(DrawTab).seen.busy)
    window.page(DrawTab).announcing.start()
    qtbot.waitUntil(lambda: messages[-1].endswith("No small change would make it a clear digit."))
    assert messages[-1].startswith("Not sure, could be 7")


def test_announcement_waits_for_the_end_of_the_stroke(window: Window) -> None:
    """A new stroke postpones the announcement of the previous prediction."""
    pad, announcing = window.page(DrawTab).pad, window.page(DrawTab).announcing
    draw(pad, placed(7, 100, 100, 200))
    assert announcing.isActive()
    mouse(pad, QEvent.Type.MouseButtonPress, (50, 50))
    assert not announcing.isActive()
    mouse(pad, QEvent.Type.MouseButtonRelease, (50, 50))
    assert announcing.isActive()


def test_the_pad_is_square_and_nothing_is_cut_off(qtbot: QtBot, window: Window) -> None:
    """At every window size the pad is square, both columns fit, and the tools are as wide as the pad."""
    tab = window.page(DrawTab)
    clear = find(tab, QPushButton, "clear")
    pad, card, seen = tab.pad, find(tab, QFrame, "answer_card"), find(tab, PixelView, "seen")

    def settled() -> bool:
        below = seen.mapTo(tab, seen.rect().bottomRight()).y() < tab.height() and pad.geometry().bottom() < tab.height()
        return below and pad.geometry().right() < card.geometry().left()

    smallest = window.minimumSize().toTuple()
    for width, height in (smallest, (1024, 700), (1120, 800), (1920, 1080)):
        window.resize(width, height)
        qtbot.waitUntil(settled)
        assert pad.width() == pad.height()
        tools_end = clear.mapTo(tab, clear.rect().topRight()).x()
        assert pad.geometry().right() <= tools_end < card.geometry().left()
        assert window.width() == width


def test_every_control_has_a_name_and_is_reached_by_tab(window: Window) -> None:
    """Every button has a name, a text and a tooltip, and can be reached with Tab."""
    for button in window.page(DrawTab).findChildren(QPushButton):
        assert button.objectName()
        assert button.text()
        assert button.toolTip()
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert window.page(DrawTab).pad.accessibleName()


NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


@pytest.mark.parametrize("names", [NAMES, ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")])
def test_class_names_are_shown(qtbot: QtBot, window: Window, shipped: Weights, names: tuple[str, ...]) -> None:
    """Class names appear in the prediction, the bars and the other guesses, and the card keeps its size."""
    tab = window.page(DrawTab)
    height = find(tab, QFrame, "answer_card").height()
    window.session.use_network(replace(shipped, class_names=names))
    assert label(tab, "confidence") == "Draw one of these"
    assert label(tab, "runners_up") == f"{names[0]}, {names[1]}, {names[2]}, … {names[9]} (10 classes)"
    assert [pad.invitation for pad in (tab.pad, window.page(InspectTab).pad)] == ["Draw here", "Draw a digit"]
    window.show_page(INSIDE)
    assert window.page(InspectTab).pad.invitation == "Draw here"
    window.show_page(DRAW)
    side = tab.pad.width()
    draw(tab.pad, placed(7, 0.2 * side, 0.2 * side, 0.6 * side))
    qtbot.waitUntil(partial(says, tab, names[7]))
    assert_other_guesses_are_listed(tab)
    assert f"{names[7]}: " in find(tab, ProbabilityBars).accessibleDescription()
    assert find(tab, QFrame, "answer_card").height() == height
    window.session.use_network(shipped)
    qtbot.waitUntil(partial(says, tab, "7"))


@pytest.mark.parametrize("n", [2, 62])
def test_a_network_may_have_two_classes_or_sixty_two(qtbot: QtBot, window: Window, n: int) -> None:
    """A network with 2 or 62 classes reads and explains the current drawing."""
    tab = window.page(DrawTab)
    side = tab.pad.width()
    draw(tab.pad, placed(7, 0.2 * side, 0.2 * side, 0.6 * side))
    tab.seen.set_explains(True)
    network = Network(feedforward([8], n_classes=n))
    network.initialize(np.random.default_rng(1))
    names = tuple(f"{place}th" for place in range(n))
    window.session.use_network(Weights("x", network.architecture(), network.parameters, {"sure_above": 0.0}, names))
    assert tab.prediction is not None
    assert label(tab, "answer") == tab.prediction.label
    qtbot.waitUntil(lambda: not tab.seen.busy)
    assert not window.grab().isNull()
