"""Adaptation in the window: progress, cancel, result, and the networks that were kept."""

import dataclasses
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.class_names import parse_names
from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.errors import FileError
from digitpad.gui.my_digits import adapt_view, versions_table
from digitpad.gui.my_digits.adapt_view import AdaptView
from digitpad.gui.my_digits.my_digits_tab import MyDigitsTab
from digitpad.gui.shell.window import Window
from digitpad.training.adaptation.records import AdaptationProgress, AdaptationResult, AdaptationScores
from digitpad.training.adaptation.versions import list_versions
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import MY_DIGITS, find
from tests.unit.gui.my_digits.own_drawings import drawing


@pytest.fixture
def view(qtbot: QtBot, window: Window) -> AdaptView:
    """The view, shown, with two drawings."""
    window.show_page(MY_DIGITS)
    tab = window.page(MyDigitsTab)
    qtbot.waitUntil(lambda: window.session.corrections.is_open)
    window.session.corrections.add([drawing(7, writer="Ada"), drawing(3, 7, writer="Bo")], "Import")
    tab.adapt_network()
    return tab.adapt


class Adaptation:
    """Stands in for the real one, which takes long; ``ends`` lets it end."""

    def __init__(self) -> None:
        self.ends = False
        self.n_drawings = 0

    def __call__(
        self, weights: Weights, drawings: tuple[OwnDigit, ...], n_threads: int
    ) -> Generator[AdaptationProgress, None, AdaptationResult]:
        self.n_drawings = len(drawings)
        for own, share in ((0.5, 0.0), (0.75, 0.5)):
            yield AdaptationProgress("Adapting", 1, 2, share, 0.1, own, 0.99, share)
        while not self.ends:
            yield AdaptationProgress("Adapting", 1, 2, 0.6)
        before, after = AdaptationScores(0.5, 0.995, 4), AdaptationScores(0.75, 0.9947, 4)
        facts = {"from": weights.name, "n_drawings": 2, **{
            key: dataclasses.asdict(scores) for key, scores in (("before", before), ("after", after))
        }}  # fmt: skip
        changed = dataclasses.replace(
            weights, parameters=weights.parameters * np.float32(1.01), about={"adapted": facts}
        )
        return AdaptationResult(changed, weights, before, after, tuple(drawings[1:]), ())


@pytest.fixture
def adaptation(monkeypatch: pytest.MonkeyPatch) -> Adaptation:
    adaptation = Adaptation()
    monkeypatch.setattr(adapt_view, "adapt", adaptation)
    return adaptation


def finish(qtbot: QtBot, view: AdaptView, adaptation: Adaptation) -> None:
    adaptation.ends = True
    view.adapt_or_cancel()
    qtbot.waitUntil(lambda: view.result is not None)


def text(view: AdaptView, name: str) -> str:
    return find(view, QLabel, name).text().replace("\N{NO-BREAK SPACE}", " ")


def test_live_curves_and_cancel(qtbot: QtBot, window: Window, view: AdaptView, adaptation: Adaptation) -> None:
    """Both accuracies are drawn while it runs; cancelling changes nothing."""
    button = find(view, QPushButton, "adapt_button")
    button.click()
    qtbot.waitUntil(lambda: view.own_chart.points == ((0.0, 0.5), (0.5, 0.75)))
    assert view.mnist_chart.points == ((0.0, 0.99), (0.5, 0.99))
    assert button.text() == "Cancel"
    button.click()
    assert button.text() == "Adapt"
    assert not view.busy
    assert view.result is None
    assert list_versions() == []


def test_result_is_kept_and_rolled_back(
    qtbot: QtBot, window: Window, view: AdaptView, adaptation: Adaptation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after stand side by side; a kept network is used and listed, and can be rolled back and deleted."""
    session, before = window.session, window.session.weights
    finish(qtbot, view, adaptation)
    assert [text(view, f"own_{part}") for part in ("before", "after", "change")] == ["50.0 %", "75.0 %", "+25.0 points"]
    assert [text(view, f"mnist_{part}") for part in ("before", "after", "change")] == [
        "99.50 %", "99.47 %", "−0.03 points"
    ]  # fmt: skip
    assert text(view, "now_read_title") == "Now read correctly: 1"
    assert [digit.label for digit in view.now_read.drawings_model.drawings] == [3]
    assert session.weights is before
    find(view, QPushButton, "keep_adapted").click()
    (version,) = list_versions()
    assert session.network_path == version.path
    assert session.weights.name == version.path.name
    table = view.versions.table
    model = table.model()
    qtbot.waitUntil(lambda: table.rowCount() == 1 and model.index(0, 0).data().startswith("●"))
    assert model.index(0, 1).data().replace("\N{NO-BREAK SPACE}", " ") == "50 → 75 %"
    find(view, QPushButton, "roll_back").click()
    assert session.weights.name == before.name
    assert session.network_path is None
    find(view, QPushButton, "use_version").click()
    assert session.network_path == version.path
    monkeypatch.setattr(versions_table, "confirm", lambda *_: True)
    find(view, QPushButton, "delete_version").click()
    qtbot.waitUntil(lambda: table.rowCount() == 0)
    assert list_versions() == []


def test_discard_and_closing(qtbot: QtBot, window: Window, view: AdaptView, adaptation: Adaptation) -> None:
    """A result that was neither kept nor discarded is asked about at closing; one writer's drawings can be chosen."""
    view.whose.setCurrentIndex(view.whose.findData("Bo"))
    finish(qtbot, view, adaptation)
    assert adaptation.n_drawings == 1
    assert "neither kept nor discarded" in window.finish_work()
    find(view, QPushButton, "discard_adapted").click()
    assert window.finish_work() == ""
    assert list_versions() == []
    assert find(view, QPushButton, "adapt_button").isEnabled()


def test_a_full_disk_keeps_the_result(
    qtbot: QtBot, window: Window, view: AdaptView, adaptation: Adaptation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the network cannot be saved, it can be kept later."""
    errors: list[str] = []
    window.session.error_raised.disconnect()
    window.session.error_raised.connect(lambda title, error: errors.append(str(error)))
    finish(qtbot, view, adaptation)

    def fail(weights: Weights, path: object) -> None:
        raise FileError(Path(str(path)), "cannot be written (No space left on device)")

    with monkeypatch.context() as patch:
        patch.setattr(Weights, "save", fail)
        find(view, QPushButton, "keep_adapted").click()
    assert "No space left" in errors[0]
    assert view.result is not None
    find(view, QPushButton, "keep_adapted").click()
    assert len(list_versions()) == 1


def test_what_cannot_be_adapted_says_why(window: Window, view: AdaptView, shipped: Weights) -> None:
    """A network for letters, and no drawings."""
    button = find(view, QPushButton, "adapt_button")
    assert button.isEnabled()
    names = parse_names("A-J")
    window.session.use_network(dataclasses.replace(shipped, name="letters", class_names=names))
    assert not button.isEnabled()
    assert "letters does not read the digits 0 to 9" in text(view, "adapt_about")
    window.session.use_network(shipped)
    assert button.isEnabled()
    corrections = window.session.corrections
    corrections.edit("Delete", lambda store: store.delete([digit.id for digit in store.digits]))
    assert not button.isEnabled()
    assert "no labelled drawings yet" in text(view, "adapt_about")
