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
    """Return a 2 that is read as 7 if its foot is shorter."""
    scale = window.page(DrawTab).pad.width() / 480
    return [[(x * scale, y * scale) for x, y in path.tolist()] for path in DIGITS[2]]


def view(window: Window) -> PixelView:
    return find(window.page(DrawTab), PixelView, "seen")


def findings(window: Window) -> str:
    return find(window.page(DrawTab), QLabel, "findings").text()


def evidence(window: Window) -> str:
    return view(window).accessibleDescription()


def colours(window: Window) -> set[str]:
    """Return all colours in the network input view, without its round corners."""
    image = view(window).grab().toImage()
    return {image.pixelColor(x, y).name() for x in range(6, image.width() - 6) for y in range(6, image.height() - 6)}


def is_grey(window: Window) -> bool:
    return all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours(window))


def fades_into(window: Window, colour: str) -> bool:
    """Return whether some pixel has almost the given colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    shown = np.array([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in colours(window)])
    return bool(np.abs(shown - wanted).max(axis=1).min() < 12)


@pytest.fixture
def asked(window: Window) -> Window:
    """Window with explanations shown."""
    window.page(DrawTab).seen.set_explains(True)
    return window


def test_explanation_is_shown_on_request(qtbot: QtBot, window: Window) -> None:
    """The button and its key show and hide the explanation; without it, only the pixels are shown."""
    draw(window.page(DrawTab).pad, two(window))
    assert not window.page(DrawTab).seen.explains
    assert is_grey(window)
    qtbot.mouseClick(find(window, QPushButton, "why"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "most supports 2" in evidence(window))
    assert fades_into(window, SPEAKS_FOR.name())
    qtbot.waitUntil(lambda: findings(window) != "")
    qtbot.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: not window.page(DrawTab).seen.explains)
    assert evidence(window) == ""
    assert is_grey(window)
    qtbot.keyClick(window, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: findings(window) != "")


def test_legend_names_both_digits(qtbot: QtBot, asked: Window) -> None:
    """The legend names both digits, with signs beside the colours."""
    draw(asked.page(DrawTab).pad, two(asked))
    prediction = asked.page(DrawTab).read_now()
    assert prediction is not None
    first, second, *_ = prediction.ranking
    texts = [f"+ supports {first}", f"− suggests {second}"]
    qtbot.waitUntil(lambda: [find(asked, QWidget, name).accessibleName() for name in KEYS] == texts)


def test_evidence_against_is_striped(qtbot: QtBot, theme: Theme) -> None:
    """Evidence against the prediction is striped, so that it can be recognised without colours."""
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
    """Findings appear when the pen is lifted, and disappear with the next stroke."""
    pad = asked.page(DrawTab).pad
    draw(pad, two(asked))
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked))
    draw(pad, placed(1, 40, 40, 200))
    assert "it would be a" not in findings(asked)
    qtbot.waitUntil(lambda: findings(asked) != "")
    pad.undo_stack.undo()
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked))


def test_findings_return_if_nothing_changed(qtbot: QtBot, asked: Window) -> None:
    """Findings return after an eraser stroke on bare paper and after a cancelled stroke."""
    pad = asked.page(DrawTab).pad
    draw(pad, two(asked))
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked))
    pad.set_erasing(True)
    draw(pad, [[(5, 5), (6, 6)]])
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked))
    pad.set_erasing(False)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Escape):
        qtbot.keyClick(pad, key)
    assert findings(asked) == ""
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked))


def test_prediction_is_not_delayed_by_the_explanation(
    qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prediction appears before the evidence, which is computed at most ten times per second."""
    calls: list[object] = []
    weigh = Explainer.weigh

    def counted(self: Explainer, *arguments: object) -> object:
        calls.append(arguments)
        return weigh(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Explainer, "weigh", counted)
    tab = asked.page(DrawTab)
    side = tab.pad.width()
    path = [(side * (0.3 + 0.0004 * i), side * (0.2 + 0.0006 * i)) for i in range(300)]
    draw(tab.pad, [path])
    assert tab.prediction is not None
    assert evidence(asked) == ""
    qtbot.waitUntil(lambda: evidence(asked) != "")
    qtbot.waitUntil(lambda: not tab.seen.busy)
    assert 1 <= len(calls) <= 20


def test_pen_moves_do_not_restart_a_slow_computation(
    qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pen moves do not restart a computation of evidence that is still running."""
    seen = asked.page(DrawTab).seen
    weigh, done = Explainer.weigh, False

    def slowly(self: Explainer, *arguments: Any) -> InPieces[Evidence]:
        while not done:
            yield
        return (yield from weigh(self, *arguments))

    monkeypatch.setattr(Explainer, "weigh", slowly)
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: seen.busy)
    qtbot.wait(0)
    draw(asked.page(DrawTab).pad, placed(1, 300, 300, 20))  # no new computation starts while one is running
    done = True
    qtbot.waitUntil(lambda: not seen.busy)
    assert evidence(asked) != ""


def never(*_: object) -> Iterator[None]:
    while True:
        yield


def test_new_drawing_removes_the_evidence(qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new drawing shows its pixels and digits at once, without the evidence of the previous drawing."""
    tab = asked.page(DrawTab)
    draw(tab.pad, two(asked))
    qtbot.waitUntil(lambda: "most supports 2" in evidence(asked))
    monkeypatch.setattr(Explainer, "weigh", never)
    tab.pad.replace(Drawing((Stroke(np.array([[240.0, 90], [240, 390]])),)), "Paste")
    one = tab.read_now()
    assert one is not None
    assert one.digit == 1
    assert evidence(asked) == ""
    assert is_grey(asked)
    assert find(asked, QWidget, "speaks_for").accessibleName() == "+ supports 1"


def test_new_network_removes_the_evidence(
    qtbot: QtBot, asked: Window, shipped: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a new network the pixels stay, without the evidence of the previous network."""
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: "most supports 2" in evidence(asked))
    monkeypatch.setattr(Explainer, "weigh", never)
    asked.session.use_network(replace(shipped, name="others"))
    assert evidence(asked) == ""
    assert is_grey(asked)
    assert len(colours(asked)) > 1


def test_evidence_stays_on_new_ink_during_a_stroke(
    qtbot: QtBot, asked: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """During a stroke the previous evidence stays on the new ink, so that colours do not flicker."""
    tab = asked.page(DrawTab)
    draw(tab.pad, two(asked))
    qtbot.waitUntil(lambda: "most supports 2" in evidence(asked))
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


def test_empty_pad_shows_a_hint(qtbot: QtBot, asked: Window) -> None:
    """An empty pad shows a hint, before the first stroke and after clearing."""
    qtbot.waitUntil(lambda: findings(asked).startswith("Draw a digit"))
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: evidence(asked) != "" and "it would be a" in findings(asked))
    asked.page(DrawTab).pad.clear()
    qtbot.waitUntil(lambda: findings(asked).startswith("Draw a digit"))
    assert evidence(asked) == ""
    assert colours(asked) == {"#000000"}


def test_image_has_evidence_but_no_findings(qtbot: QtBot, asked: Window) -> None:
    """An image has evidence but no findings, and the panel says why."""
    asked.page(DrawTab).pad.replace(Drawing.from_pixels(pixels(1 - picture(DIGITS[4]))), "Paste")
    qtbot.waitUntil(lambda: "most supports" in evidence(asked))
    qtbot.waitUntil(lambda: "this is an image" in findings(asked))


def test_new_network_is_explained_at_once(qtbot: QtBot, asked: Window, shipped: Weights) -> None:
    """A new network is explained at once."""
    draw(asked.page(DrawTab).pad, two(asked))
    qtbot.waitUntil(lambda: "it would be a 7" in findings(asked) and "most supports 2" in evidence(asked))
    asked.session.use_network(Weights("zero", shipped.architecture, shipped.parameters * 0))
    qtbot.waitUntil(lambda: evidence(asked) == "No ink supports either")
    qtbot.waitUntil(lambda: findings(asked) == "No small change would make it a clear digit.")


def test_stable_prediction_is_reported(qtbot: QtBot, asked: Window) -> None:
    """If no small change alters the prediction, the panel says so."""
    draw(asked.page(DrawTab).pad, placed(1, 100, 60, 300))
    qtbot.waitUntil(lambda: findings(asked) == "No small change would change the answer.")


def test_the_card_keeps_its_size(qtbot: QtBot, window: Window) -> None:
    """The card keeps its size with an explanation, and nothing is cut off in the smallest supported window."""
    window.resize(1024, 700)
    card = window.page(DrawTab).seen
    qtbot.waitUntil(lambda: window.width() == 1024)
    before = card.geometry()
    card.set_explains(True)
    draw(window.page(DrawTab).pad, two(window))
    qtbot.waitUntil(lambda: "it would be a" in findings(window))
    assert card.geometry() == before
    for name in ("why", *KEYS):
        child = find(card, QWidget, name)
        assert card.rect().contains(child.geometry())
        assert child.width() >= child.sizeHint().width()
    assert card.rect().contains(find(card, QLabel, "findings").geometry())
    assert find(card, QLabel, "findings").toolTip() == ""


def test_tooltip_has_all_lines(qtbot: QtBot, window: Window) -> None:
    """Only whole lines are shown, and the tooltip contains all lines if some do not fit."""
    lines = find(window.page(DrawTab), QLabel, "findings")
    window.page(DrawTab).seen.set_explains(True)
    qtbot.waitUntil(lambda: lines.height() > 20)
    texts = [f"line {i} " + "word " * 30 for i in range(3)]
    window.page(DrawTab).seen.findings.set_lines(texts)
    shown = lines.text()
    assert shown in ("", texts[0], "\n".join(texts[:2]))
    assert lines.toolTip() == "\n".join(texts)
    assert lines.accessibleName() == "; ".join(texts)
    window.page(DrawTab).seen.findings.set_lines(["short"])
    assert (lines.text(), lines.toolTip()) == ("short", "")


def test_explanation_setting_is_kept(qtbot: QtBot, theme: Theme, shipped: Weights, window: Window) -> None:
    """The explanation setting is restored after a restart."""
    window.page(DrawTab).seen.set_explains(True)
    preferences = window.session.preferences.reopened()
    assert preferences.explains, "it would be lost if the program crashed"
    window.close()
    again = Window(Session(theme, shipped, preferences))
    qtbot.addWidget(again)
    assert again.page(DrawTab).seen.explains


def test_an_unsure_answer_is_explained(qtbot: QtBot, asked: Window, shipped: Weights) -> None:
    """An unsure prediction shows the evidence for the most probable digit, and changes that make it sure."""
    asked.session.use_network(replace(shipped, about={"sure_above": 0.9999999}))
    scale = asked.page(DrawTab).pad.width() / 480
    draw(asked.page(DrawTab).pad, [[(150 * scale, 200 * scale), (240 * scale, 90 * scale), (240 * scale, 390 * scale)]])
    prediction = asked.page(DrawTab).read_now()
    assert prediction is not None
    assert not prediction.sure
    qtbot.waitUntil(partial(evidence_is_for, asked, prediction.digit))
    sure = "it would clearly be a"
    qtbot.waitUntil(
        lambda: sure in findings(asked) or findings(asked) == "No small change would make it a clear digit."
    )


def evidence_is_for(window: Window, digit: int) -> bool:
    return f"most supports {digit}" in evidence(window)


def test_text_states_the_preprocessing(window: Window, qtbot: QtBot) -> None:
    """The text below the heading states how the network input was made."""
    about = find(window.page(DrawTab), QLabel, "about_seen")
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 200))
    qtbot.waitUntil(lambda: "scaled and centred" in about.text())
    sample = np.zeros((28, 28), np.uint8)
    sample[4:24, 13:16] = 255
    window.page(DrawTab).pad.replace(Drawing.from_sample(sample), "Put an image")
    qtbot.waitUntil(lambda: "from the dataset" in about.text())
