from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.pixel_view import SPEAKS_AGAINST, SPEAKS_FOR, PixelView
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.session import Session
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.recognition.explainer import Evidence, Explainer, InPieces
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import Path, draw, find, mouse, placed
from tests.unit.ink.drawings import DIGITS, picture, pixels

KEYS = ("speaks_for", "speaks_against")


def two(window: Window) -> list[Path]:
    """A 2 that is read as 7 when its foot is shorter."""
    scale = window.page(DrawTab).pad.width() / 480
    return [[(x * scale, y * scale) for x, y in path.tolist()] for path in DIGITS[2]]


def view(window: Window) -> PixelView:
    return find(window.page(DrawTab), PixelView, "seen")


def findings(window: Window) -> str:
    return find(window.page(DrawTab), QLabel, "findings").text()


def evidence(window: Window) -> str:
    return view(window).accessibleDescription()


def colours(window: Window) -> set[str]:
    """All that the picture shows, but for its round corners."""
    image = view(window).grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(6, image.width() - 6) for y in range(6, image.height() - 6)}


def is_grey(window: Window) -> bool:
    return all(one[1:3] == one[3:5] == one[5:7] for one in colours(window))


def fades_into(window: Window, colour: str) -> bool:
    """Whether some pixel is nearly of that colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    shown = np.array([[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in colours(window)])
    return bool(np.abs(shown - wanted).max(axis=1).min() < 12)


@pytest.fixture
def asked(window: Window) -> Window:
    """A window that is asked why."""
    window.page(DrawTab).seen.set_explains(True)
    return window


def test_it_explains_only_when_asked(qtbot: QtBot, window: Window) -> None:
    """By the button or its key; asked no longer, it shows the bare pixels again."""
    draw(window.page(DrawTab).pad, two(window))
    assert not window.page(DrawTab).seen.explains
    assert is_grey(window)
    qtbot.mouseClick(find(window, QPushButton, "why"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "speaks most for 2" in evidence(window))
    assert fades_into(window, SPEAKS_FOR.name())
    qtbot.waitUntil(lambda: findings(window) != "")
    qtbot.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: not window.page(DrawTab).seen.explains)
    assert evidence(window) == ""
    assert is_grey(window)
    qtbot.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: findings(window) != "")


def test_the_key_tells_the_digits(qtbot: QtBot, asked: Window) -> None:
    """What is for and what is against, with signs beside the colours."""
    draw(asked.page(DrawTab).pad, two(asked))
    prediction = asked.page(DrawTab).read_now()
    assert prediction is not None
    first, second, *_ = prediction.ranking
    said = [f"+ speaks for {first}", f"− for {second} instead"]
    qtbot.waitUntil(lambda: [find(asked, QWidget, name).accessibleName() for name in KEYS] == said)


def test_evidence_against_is_striped(qtbot: QtBot, theme: Theme) -> None:
    """So that it is told from what speaks for it by those who do not see the colours."""
    pixel_view = PixelView(theme, 280)
    qtbot.addWidget(pixel_view)
    weighed = np.zeros((28, 28))
    weighed[10, 10], weighed[10, 20] = 1, -1
    pixel_view.set_evidence(Evidence(7, 1, np.zeros((28, 28), np.uint8), weighed))
    image = pixel_view.grab().toImage()
    scale = image.width() // 28
    upper, lower = 10 * scale + scale // 4, 10 * scale + 3 * scale // 4
    for x, colour, rows in ((10, SPEAKS_FOR, (upper, lower)), (20, SPEAKS_AGAINST, (upper,))):
        for y in rows:
            assert image.pixelColor(x * scale + scale // 2, y).name() == colour.name()
    assert image.pixelColor(20 * scale + scale // 2, lower).name() == "#000000"


def test_findings_wait_until_the_pen_is_lifted(qtbot: QtBot, asked: Window) -> None:
    """They belong to a drawing that stands; the next stroke takes them away."""
    pad = asked.page(DrawTab).pad
    draw(pad, two(asked))
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked))
    draw(pad, placed(1, 40, 40, 200))
    assert "Read as" not in findings(asked)
    qtbot.waitUntil(lambda: findings(asked) != "")
    pad.undo_stack.undo()
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked))


def test_findings_come_back_where_nothing_changed(qtbot: QtBot, asked: Window) -> None:
    """After an eraser on bare paper, and a stroke that was taken back."""
    pad = asked.page(DrawTab).pad
    draw(pad, two(asked))
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked))
    pad.set_erasing(True)
    draw(pad, [[(5, 5), (6, 6)]])
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked))
    pad.set_erasing(False)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Escape):
        qtbot.keyClick(pad, key)
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked))


def test_no_reading_waits_for_an_explanation(qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is there before any of the evidence, which is weighed at most ten times a second."""
    begun: list[object] = []
    weigh = Explainer.weigh

    def noted(self: Explainer, *arguments: object) -> object:
        begun.append(arguments)
        return weigh(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Explainer, "weigh", noted)
    tab = asked.page(DrawTab)
    side = tab.pad.width()
    path = [(side * (0.3 + 0.0004 * i), side * (0.2 + 0.0006 * i)) for i in range(300)]
    draw(tab.pad, [path])
    assert tab.prediction is not None
    assert evidence(asked) == ""
    qtbot.waitUntil(lambda: evidence(asked) != "")
    qtbot.waitUntil(lambda: not tab.seen._weigh_soon._timer.isActive())
    assert 1 <= len(begun) <= 20


def test_a_slow_network_is_heard_out(qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still being weighed is not begun anew by every move of the pen."""
    seen = asked.page(DrawTab).seen
    weigh, done = Explainer.weigh, False

    def slowly(self: Explainer, *arguments: Any) -> InPieces[Evidence]:
        while not done:
            yield
        return (yield from weigh(self, *arguments))

    monkeypatch.setattr(Explainer, "weigh", slowly)
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: seen._weighing.busy)
    qtbot.wait(0)
    seen._weigh()  # while it is busy, it starts nothing
    done = True
    qtbot.waitUntil(lambda: not seen._weighing.busy and not seen._weigh_soon._timer.isActive())
    assert evidence(asked) != ""


def never(*_: object) -> Iterator[None]:
    while True:
        yield


def test_no_evidence_is_left_of_another_drawing(qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the new one takes to be weighed: its bare pixels are shown at once, and the names of its digits."""
    tab = asked.page(DrawTab)
    draw(tab.pad, two(asked))
    qtbot.waitUntil(lambda: "most for 2" in evidence(asked))
    monkeypatch.setattr(Explainer, "weigh", never)
    tab.pad.replace(Drawing((Stroke(np.array([[240.0, 90], [240, 390]])),)), "Paste")
    one = tab.read_now()
    assert one is not None
    assert one.digit == 1
    assert evidence(asked) == ""
    assert is_grey(asked)
    assert find(asked, QWidget, "speaks_for").accessibleName() == "+ speaks for 1"


def test_no_evidence_is_left_of_other_weights(
    qtbot: QtBot, asked: Window, shipped: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture stays, without colours, while the new ones are asked."""
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: "most for 2" in evidence(asked))
    monkeypatch.setattr(Explainer, "weigh", never)
    asked.session.use_network(replace(shipped, name="others"))
    assert evidence(asked) == ""
    assert is_grey(asked)
    assert len(colours(asked)) > 1


def test_ink_is_shown_before_its_evidence(qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a stroke is drawn, the colours of a moment ago lie on the ink of now, and nothing flickers."""
    tab = asked.page(DrawTab)
    draw(tab.pad, two(asked))
    qtbot.waitUntil(lambda: "most for 2" in evidence(asked))
    monkeypatch.setattr(Explainer, "weigh", never)
    before = view(asked).grab().toImage()
    side = tab.pad.width()
    mouse(tab.pad, QEvent.Type.MouseButtonPress, (side * 0.2, side * 0.4))
    mouse(tab.pad, QEvent.Type.MouseMove, (side * 0.8, side * 0.4))
    tab.read_now()
    assert view(asked).grab().toImage() != before
    assert not is_grey(asked)
    mouse(tab.pad, QEvent.Type.MouseButtonRelease, (side * 0.8, side * 0.4))
    tab.read_now()
    assert not is_grey(asked)


def test_an_empty_pad_says_what_to_do(qtbot: QtBot, asked: Window) -> None:
    """There is nothing to explain, before the first stroke and after it was cleared."""
    qtbot.waitUntil(lambda: findings(asked).startswith("Draw a digit"))
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: evidence(asked) != "" and "Read as" in findings(asked))
    asked.page(DrawTab).pad.clear()
    qtbot.waitUntil(lambda: findings(asked).startswith("Draw a digit"))
    assert evidence(asked) == ""
    assert colours(asked) == {"#000000"}


def test_of_an_image_there_is_evidence_alone(qtbot: QtBot, asked: Window) -> None:
    """It has no strokes that could be changed, and that is said."""
    asked.page(DrawTab).pad.replace(Drawing.from_pixels(pixels(1 - picture(DIGITS[4]))), "Paste")
    qtbot.waitUntil(lambda: "speaks most for" in evidence(asked))
    qtbot.waitUntil(lambda: "this is an image" in findings(asked))


def test_other_weights_are_explained_at_once(qtbot: QtBot, asked: Window, shipped: Weights) -> None:
    """What is shown is always of the weights that read."""
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: "Read as 7" in findings(asked) and "most for 2" in evidence(asked))
    asked.session.use_network(Weights("zero", shipped.architecture, shipped.parameters * 0))
    qtbot.waitUntil(lambda: evidence(asked) == "No ink speaks for either")
    qtbot.waitUntil(lambda: findings(asked) == "No small change makes it a digit.")


def test_where_nothing_changes_it_that_is_said(qtbot: QtBot, asked: Window) -> None:
    """A 1 stays one."""
    draw(asked.page(DrawTab).pad, placed(1, 100, 60, 300))
    qtbot.waitUntil(lambda: findings(asked) == "No small change makes it another digit.")


def test_the_card_keeps_its_size(qtbot: QtBot, window: Window) -> None:
    """Whatever it has to say; and nothing of it is cut off, in the smallest window that is meant to be used."""
    window.resize(1024, 700)
    card = window.page(DrawTab).seen
    qtbot.waitUntil(lambda: window.width() == 1024)
    before = card.geometry()
    card.set_explains(True)
    draw(window.page(DrawTab).pad, two(window))
    qtbot.waitUntil(lambda: "Read as" in findings(window))
    assert card.geometry() == before
    for name in ("why", *KEYS):
        child = find(card, QWidget, name)
        assert card.rect().contains(child.geometry())
        assert child.width() >= child.sizeHint().width()
    assert card.rect().contains(find(card, QLabel, "findings").geometry())
    assert find(card, QLabel, "findings").toolTip() == ""


def test_lines_that_do_not_fit_are_in_the_tooltip(qtbot: QtBot, window: Window) -> None:
    """No line is shown in half."""
    lines = find(window.page(DrawTab), QLabel, "findings")
    window.page(DrawTab).seen.set_explains(True)
    qtbot.waitUntil(lambda: lines.height() > 20)
    texts = [f"line {i} " + "word " * 30 for i in range(3)]
    window.page(DrawTab).seen._findings.set_lines(texts)
    shown = lines.text()
    assert shown in ("", texts[0], "\n".join(texts[:2]))
    assert lines.toolTip() == "\n".join(texts)
    assert lines.accessibleName() == "; ".join(texts)
    window.page(DrawTab).seen._findings.set_lines(["short"])
    assert (lines.text(), lines.toolTip()) == ("short", "")


def test_it_is_remembered(qtbot: QtBot, theme: Theme, shipped: Weights, window: Window) -> None:
    """Who asked why is told why the next time, too."""
    window.page(DrawTab).seen.set_explains(True)
    preferences = window.session.preferences.reopened()
    assert preferences.explains, "it would be lost if the program did not end well"
    window.close()
    again = Window(Session(theme, shipped, preferences))
    qtbot.addWidget(again)
    assert again.page(DrawTab).seen.explains


def test_an_unsure_answer_is_explained(qtbot: QtBot, asked: Window, shipped: Weights) -> None:
    """With the most probable digit, and what would make it sure."""
    asked.session.use_network(replace(shipped, about={"sure_above": 0.9999999}))
    scale = asked.page(DrawTab).pad.width() / 480
    draw(asked.page(DrawTab).pad, [[(150 * scale, 200 * scale), (240 * scale, 90 * scale), (240 * scale, 390 * scale)]])
    prediction = asked.page(DrawTab).read_now()
    assert prediction is not None
    assert not prediction.sure
    qtbot.waitUntil(partial(evidence_is_for, asked, prediction.digit))
    qtbot.waitUntil(lambda: "Sure of" in findings(asked) or findings(asked) == "No small change makes it a digit.")


def evidence_is_for(window: Window, digit: int) -> bool:
    return f"speaks most for {digit}" in evidence(window)


def test_it_says_how_the_pixels_came_about(window: Window, qtbot: QtBot) -> None:
    """A data set's image is neither scaled nor moved."""
    about = find(window.page(DrawTab), QLabel, "about_seen")
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(lambda: "20-pixel box" in about.text())
    sample = np.zeros((28, 28), np.uint8)
    sample[4:24, 13:16] = 255
    window.page(DrawTab).pad.replace(Drawing.from_sample(sample), "Put an image")
    qtbot.waitUntil(lambda: "as the data set has them" in about.text())
