"""Tests of the Inside tab with other classes than the ten digits and other datasets than MNIST."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import Digits, load_path
from digitpad.evaluation.metrics import evaluate
from digitpad.gui.data.dataset_choice import OTHER_FILE, OTHER_FOLDER
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.inspect.inspect_tab import InspectTab
from digitpad.gui.inspect.layers_view import Selection
from digitpad.gui.inspect.numeric_table import NumericTable
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights, load_weights
from tests.root import ROOT
from tests.unit.datasets.idx_files import write_folder
from tests.unit.gui.hand import INSIDE, draw, find, placed


def some_data(folder: Path, n_classes: int, seed: int = 1) -> Path:
    rng = np.random.default_rng(seed)

    def part(n: int) -> Digits:
        return Digits(rng.integers(0, 256, (n, 28, 28), np.uint8), (np.arange(n) % n_classes).astype(np.uint8))

    return write_folder(folder, part(6 * n_classes), part(3 * n_classes))


@pytest.fixture(params=["emnist-byclass", "fashion-mnist"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Dataset of 62 letters and digits, or of ten named classes."""
    return some_data(tmp_path / request.param, 62 if request.param == "emnist-byclass" else 10)


@pytest.fixture
def weights(folder: Path) -> Weights:
    """Return untrained weights that state their dataset."""
    dataset = load_path(folder)
    network = Network(feedforward([12], n_classes=len(dataset.class_names)))
    network.initialize(np.random.default_rng(1))
    about = {
        "recipe": {"data": {"set": str(folder)}},
        "data": {"name": dataset.name, "sha256": dataset.sha256},
    }
    return Weights("guess.npz", network.architecture(), network.parameters, about, dataset.class_names)


@pytest.fixture
def inside(qtbot: QtBot, window: Window, weights: Weights, folder: Path) -> InspectTab:
    """Return the tab with these weights, their dataset and a drawing."""
    window.resize(1024, 700)
    for tab in (window.page(EvaluateTab), window.page(InspectTab)):
        tab.data_choice.offer(str(folder))
    window.session.use_network(weights)
    tab = window.page(InspectTab)
    window.show_page(INSIDE)
    qtbot.waitUntil(lambda: tab.view.width() > 400)
    side = tab.pad.width()
    draw(tab.pad, placed(7, 0.2 * side, 0.2 * side, 0.6 * side))
    return tab


def panel(tab: InspectTab, name: str) -> None:
    find(tab, QPushButton, f"panels_{name}").click()


def text(tab: InspectTab, name: str) -> str:
    return find(tab, QLabel, name).text()


def accuracies(tab: InspectTab) -> list[str]:
    return [text(tab, f"{name}_accuracy") for name in ("validation", "test")]


def test_dataset_follows_the_network(inside: InspectTab, window: Window, folder: Path, weights: Weights) -> None:
    """The dataset of the weights is chosen if it is in the list; unknown paths are not added."""
    assert inside.data_choice.value() == window.page(EvaluateTab).data_choice.value() == str(folder)
    window.session.use_network(load_weights(ROOT / "model" / "dense.npz"))
    assert inside.data_choice.value() == "mnist"
    elsewhere = {"recipe": {"data": {"set": str(folder.parent)}}}
    window.session.use_network(
        Weights("x.npz", weights.architecture, weights.parameters, elsewhere, weights.class_names)
    )
    assert inside.data_choice.value() == "mnist"
    assert inside.data_choice.findData(str(folder.parent)) < 0


def test_accuracy_is_measured_on_the_selected_dataset(qtbot: QtBot, inside: InspectTab, folder: Path) -> None:
    """Edited and unedited accuracies are measured on the chosen dataset and saved with the weights."""
    dataset = load_path(folder)

    def expected(weights: Weights) -> list[str]:
        parts = (dataset.validation, dataset.test)
        return [f"{100 * evaluate(weights.network(), part).accuracy:.2f}\N{NO-BREAK SPACE}%" for part in parts]

    panel(inside, "edit")
    plain = expected(inside.unedited)
    qtbot.waitUntil(lambda: accuracies(inside) == plain)
    qtbot.waitUntil(lambda: text(inside, "unedited") == f"Unedited: {plain[0]} and {plain[1]}")
    find(inside, QPushButton, "bits_4").click()
    edited = inside.edit_panel.edits.apply(inside.unedited)
    qtbot.waitUntil(lambda: inside.edit_panel.edits in inside.measured)
    assert accuracies(inside) == expected(edited)
    assert inside.edited_weights().test_accuracy == evaluate(edited.network(), dataset.test).accuracy


def test_different_classes_are_reported(qtbot: QtBot, inside: InspectTab, folder: Path) -> None:
    """A message replaces the accuracy; with matching classes it is measured again."""
    panel(inside, "edit")
    qtbot.waitUntil(lambda: accuracies(inside)[0] != "–")
    other = some_data(folder.parent / "other-kmnist", 10)
    inside.data_choice.set_value(str(other))
    qtbot.waitUntil(lambda: "but guess.npz knows" in text(inside, "unedited"))
    figure = find(inside, QLabel, "test_accuracy")
    assert not figure.isVisible()
    assert "Choose a dataset with these classes" in text(inside, "unedited")
    inside.data_choice.set_value(str(folder))
    qtbot.waitUntil(lambda: figure.isVisible() and "%" in figure.text())


def test_scores_on_other_datasets_are_not_saved(qtbot: QtBot, inside: InspectTab, folder: Path) -> None:
    """Scores on other datasets than the one of the weights are not saved."""
    n_classes = len(inside.unedited.class_names)
    other = some_data(folder.parent / "more" / folder.name, n_classes, seed=2)
    inside.data_choice.set_value(str(other))
    panel(inside, "edit")
    find(inside, QPushButton, "bits_4").click()
    qtbot.waitUntil(lambda: inside.edit_panel.edits in inside.measured)
    assert inside.edited_weights().test_accuracy is None


def test_unreadable_dataset_is_reported(qtbot: QtBot, inside: InspectTab, tmp_path: Path) -> None:
    """The Edit and Nearest panels show the error."""
    inside.data_choice.set_value(str(tmp_path / "nowhere"))
    panel(inside, "edit")
    qtbot.waitUntil(lambda: "nowhere: does not exist" in text(inside, "unedited"))
    panel(inside, "nearest")
    qtbot.waitUntil(lambda: "nowhere: does not exist" in text(inside, "pixels_said"))


def test_nearest_images_come_from_the_selected_dataset(qtbot: QtBot, inside: InspectTab, folder: Path) -> None:
    """The panel shows class names of the dataset, even if the weights have other classes."""
    panel(inside, "nearest")
    shown = find(inside, QWidget, "nearest_by_pixels")

    def nearest(source: Path) -> str:
        assert inside.trace is not None
        dataset = load_path(source)
        apart = (dataset.training.images / 255 - inside.trace.image / 255).reshape(len(dataset.training), -1)
        places = np.argsort(np.square(apart).sum(axis=1), kind="stable")[:8]
        return ", ".join(dataset.class_names[label] for label in dataset.training.labels[places])

    qtbot.waitUntil(lambda: shown.accessibleDescription() == nearest(folder))
    other = some_data(folder.parent / "other-kmnist", 10, seed=3)
    inside.data_choice.set_value(str(other))
    qtbot.waitUntil(lambda: shown.accessibleDescription() == nearest(other))
    qtbot.waitUntil(lambda: text(inside, "layer_said") == "Most similar of 50, by activations")


@pytest.mark.parametrize(
    ("text", "dialog", "nothing"),
    [(OTHER_FILE, "getOpenFileName", ("", "")), (OTHER_FOLDER, "getExistingDirectory", "")],
)
def test_cancelled_dialog_keeps_the_dataset(
    inside: InspectTab, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, dialog: str, nothing: object
) -> None:
    """A cancelled file dialog keeps the dataset chosen and in memory."""
    choice, data = inside.data_choice, inside.data
    while_open: list[str] = []

    def cancelled(*_: object) -> object:
        while_open.append(choice.value())
        return nothing

    monkeypatch.setattr(QFileDialog, dialog, cancelled)
    choice.setCurrentIndex(choice.findText(text))
    choice.activated.emit(choice.currentIndex())
    assert while_open == [str(folder)]
    assert choice.currentData() == str(folder)
    assert inside.data is data


def test_class_names_are_shown(qtbot: QtBot, inside: InspectTab, weights: Weights) -> None:
    """Panels show class names; with many classes, the most probable have a line each and the others share a line."""
    names = weights.class_names
    inside.view.choose(Selection(2, 7))
    qtbot.waitUntil(lambda: text(inside, "unit_title") == f"Output · class {names[7]}")
    inside.view.choose(Selection(0, 0, 3, 3))
    qtbot.waitUntil(lambda: text(inside, "unit_title").startswith("Pixel"))
    pixel = find(inside, NumericTable, "unit_sheet").text.splitlines()
    panel(inside, "softmax")
    softmax = find(inside, NumericTable, "softmax_sheet").text.splitlines()
    if len(names) == 10:
        assert [line.split("  ")[0] for line in softmax[1:11]] == list(names)
        assert [line.split("  ")[0] for line in pixel[:10]] == list(names)
    else:
        assert inside.trace is not None
        order = np.argsort(-inside.trace.logits, kind="stable")
        assert [line[0] for line in softmax[1:11]] == [names[place] for place in order[:10]]
        assert softmax[11].startswith("52 others")
        assert pixel[11] == "Smaller effect on the 51 others"


def test_each_output_can_be_selected(qtbot: QtBot, inside: InspectTab, weights: Weights) -> None:
    """Pointer and keys reach every output in several columns, and none lies outside the view."""
    view, last = inside.view, len(weights.class_names) - 1
    rows = view.columns[-1]
    for unit in rows.units():
        assert rows.at(rows.rect(unit).center()) == (unit, 0, 0)
        assert view.rect().toRectF().adjusted(0, 0, 1, 1).contains(rows.rect(unit))
    view.choose(Selection(2, last))
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.chosen == Selection(2, last - 1)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    beside = last - 1 - rows.n_rows
    assert view.chosen is not None
    assert (view.chosen.block, view.chosen.unit) == (2, beside) if beside >= 0 else view.chosen.block == 1


def test_dataset_opened_on_one_tab_is_listed_on_all(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder opened on a tab is in the lists of all tabs, including tabs that are opened later."""
    folder = some_data(tmp_path / "mine", 10)
    first, second = window.page(TrainTab).form.data_choice, window.page(EvaluateTab).data_choice
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    first.activated.emit(first.findText(OTHER_FOLDER))
    assert first.value() == str(folder)
    for other in (second, window.page(InspectTab).data_choice):
        assert other.findData(str(folder)) >= 0
        assert other.value() == "mnist"
