from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.convention_dialog import ConventionDialog
from digitpad.gui.window import Window
from digitpad.weights.foreign.reading import read_contents
from tests.gui.hand import find
from tests.gui.test_window import drop, file_mime, problem_of, status
from tests.weights.foreign.strangers import Trained, numbered, save_npz, save_pickle, train


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train([784, 12, 10], "tanh")


@pytest.fixture
def theirs(trained: Trained, tmp_path: Path) -> Path:
    return save_npz(tmp_path / "theirs.npz", numbered(trained, "W{}", "b{}", out_in=True))


def dialog_of(qtbot: QtBot, window: Window, path: Path) -> ConventionDialog:
    drop(window, file_mime(path))
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is not None, timeout=60_000)
    return find(window, ConventionDialog, "convention_dialog")


def accept(qtbot: QtBot, window: Window) -> None:
    find(window, QPushButton, "convention_use").click()
    gone(qtbot, window)


def dismiss(qtbot: QtBot, window: Window) -> None:
    find(window, QPushButton, "convention_cancel").click()
    gone(qtbot, window)


def gone(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is None)


def activation_in(table: QTableWidget, row: int) -> str:
    item = table.item(row, 1)
    assert item is not None
    return item.text()


def test_dropped_weights_of_others_are_shown_with_their_scores(qtbot: QtBot, window: Window, theirs: Path) -> None:
    """What was tried is a table, the most usual of the best marked; agreed to, the window reads with it."""
    before = window.weights
    dialog = dialog_of(qtbot, window, theirs)
    assert "784-12-10" in find(dialog, QLabel, "convention_title").text()
    table = find(dialog, QTableWidget, "conventions")
    assert activation_in(table, table.currentRow()) == "Tanh"
    assert window.weights is before
    accept(qtbot, window)
    assert window.weights.about["convention"]["activation"] == "tanh"
    assert status(window).startswith("theirs.npz · ")
    assert "validation digits" in status(window)
    assert window.recent() == [str(theirs)]


def test_the_choice_can_be_overruled_and_is_kept(qtbot: QtBot, window: Window, theirs: Path) -> None:
    """Another row is taken instead, also the next time, when nothing is asked; the menu asks again."""
    dialog = dialog_of(qtbot, window, theirs)
    table = find(dialog, QTableWidget, "conventions")
    other = next(row for row in range(table.rowCount()) if activation_in(table, row) == "ReLU")
    table.selectRow(other)
    assert "Your choice" in find(dialog, QLabel, "convention_note").text()
    accept(qtbot, window)
    assert window.weights.about["convention"]["activation"] == "relu"
    first = window.weights
    with qtbot.waitSignal(window.foreign.opened, timeout=60_000):
        window.open_weights(theirs)
    assert window.findChild(ConventionDialog) is None
    assert window.weights is not first
    assert window.weights.about["convention"] == first.about["convention"]
    window.foreign.ask_again()
    dialog = find(window, ConventionDialog, "convention_dialog")
    assert dialog.candidate.convention.activation == "relu"
    dismiss(qtbot, window)
    assert window.weights.about["convention"]["activation"] == "relu"


def test_what_reads_little_says_so(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Untrained weights are opened, and the dialog says what they are worth."""
    rng = np.random.default_rng(1)
    path = save_pickle(tmp_path / "untrained.pkl", [rng.normal(size=(784, 8)), rng.normal(size=(8, 10))])
    dialog = dialog_of(qtbot, window, path)
    assert find(dialog, QLabel, "convention_note").text().startswith("Little is read")
    dismiss(qtbot, window)


def test_what_is_no_network_is_told(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """The reason is shown, and the weights in use stay."""
    before = window.weights
    path = save_pickle(tmp_path / "letters.pkl", [np.ones((784, 30)), np.ones((30, 26))])
    said = problem_of(qtbot, window, lambda: window.open_weights(path))
    assert "26 outputs" in said
    assert window.weights is before


def test_closing_ends_what_is_being_found_out(window: Window, theirs: Path) -> None:
    """No thread outlives the window, and none asks any more."""
    window.open_weights(theirs)
    assert window.foreign.busy
    window.close()
    assert not window.foreign.busy


def test_weights_are_saved_in_other_formats(window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kind that is chosen in the dialog gives the ending, and the ending the format."""

    def choose(dialog: QFileDialog) -> int:
        kind = next(kind for kind in dialog.nameFilters() if "safetensors" in kind)
        dialog.filterSelected.emit(kind)
        assert dialog.defaultSuffix() == "safetensors"
        dialog.selectFile(str(tmp_path / "mine.safetensors"))
        return 1

    monkeypatch.setattr(QFileDialog, "exec", choose)
    window.save_weights(window.weights)
    assert {"W1", "b6"} < read_contents(tmp_path / "mine.safetensors").arrays.keys()
    assert window.recent() == []


def test_other_weights_end_the_asking(window: Window, qtbot: QtBot, theirs: Path) -> None:
    """How weights are meant is asked of those in use alone."""
    dialog_of(qtbot, window, theirs)
    accept(qtbot, window)
    assert window.foreign.can_ask_again
    window.use_weights(window.weights)
    assert not window.foreign.can_ask_again
