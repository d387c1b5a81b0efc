"""Evaluate tab with classes other than the ten digits: 62 letters, and ten classes with long names."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QTableWidget
from pytestqt.qtbot import QtBot

from digitpad.class_names import DIGITS
from digitpad.datasets.dataset import Digits, load_path
from digitpad.gui.evaluate.confusion_view import ConfusionView
from digitpad.gui.evaluate.digit_browser import DIFFERENT
from digitpad.gui.evaluate.evaluate_tab import DIAGRAMS, IMAGES, MAP, OVERVIEW, SAMPLE, EvaluateTab
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights
from tests.unit.datasets.idx_files import write_folder
from tests.unit.gui.hand import EVALUATE, find

FAMILIES = ("emnist-byclass", "fashion-mnist")
LONG = tuple(f"a name of {place:02} that has forty letters, no…"[:40] for place in range(62))


@dataclass(frozen=True)
class Known:
    """Dataset folder, and an untrained network for its classes."""

    folder: Path
    names: tuple[str, ...]
    weights: Path


def save_weights(path: Path, names: tuple[str, ...], seed: int) -> Path:
    network = Network(feedforward([12], n_classes=len(names)))
    network.initialize(np.random.default_rng(seed))
    Weights(path.name, network.architecture(), network.parameters, {}, names).save(path)
    return path


@pytest.fixture(scope="module", params=FAMILIES)
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Return 62 classes of one letter, or ten classes with longer names."""
    folder = tmp_path_factory.mktemp("data") / request.param
    n_classes = 62 if request.param == FAMILIES[0] else 10
    rng = np.random.default_rng(2)

    def part(n: int) -> Digits:
        return Digits(rng.integers(0, 256, (n, 28, 28), np.uint8), (np.arange(n) % n_classes).astype(np.uint8))

    write_folder(folder, part(620), part(310))
    names = load_path(folder).class_names
    assert len(names) == n_classes
    return Known(folder, names, save_weights(folder / "guess.npz", names, 1))


def evaluate(qtbot: QtBot, window: Window, known: Known, other: Path | None = None) -> EvaluateTab:
    window.show_page(EVALUATE)
    tab = window.page(EvaluateTab)
    tab.data_choice.set_value(str(known.folder))
    tab.weights_choice.choose_file(known.weights)
    if other is not None:
        tab.other_choice.choose_file(other)
    tab.evaluate_or_stop()
    qtbot.waitUntil(lambda: not tab.busy)
    return tab


@pytest.mark.parametrize("mode", [Mode.LIGHT, Mode.DARK])
def test_every_page_shows_the_class_names(qtbot: QtBot, window: Window, known: Known, mode: Mode) -> None:
    """Every page shows the class names in the smallest window, and never mentions digits."""
    window.session.set_theme(mode)
    window.resize(1024, 700)
    tab = evaluate(qtbot, window, known)
    assert tab.outcome is not None
    made = tab.outcome.assessments[0]
    for page in (OVERVIEW, IMAGES, SAMPLE, DIAGRAMS, MAP):
        tab.show_page(page)
        if page == DIAGRAMS:
            qtbot.waitUntil(lambda: tab.diagram.is_drawn)
        assert not tab.grab().isNull()
        text = " ".join(label.text() for label in tab.findChildren(QLabel) if label.isVisible())
        assert "digit" not in text.lower()
    table = find(tab, QTableWidget, "class_table")
    texts = [table.item(row, 0) for row in range(table.rowCount())]
    assert [item.text() for item in texts if item is not None] == list(known.names)
    header = table.horizontalHeaderItem(0)
    assert header is not None
    assert header.text() == "Class"
    assert window.width() == 1024
    last = len(known.names) - 1
    tab.open_cell(last, -1)
    assert (made.digits.labels[tab.browser.model.places] == last).all()
    chosen = find(tab, QComboBox, "is_digit")
    assert chosen.currentText() == known.names[last]
    assert [chosen.itemText(place) for place in range(chosen.count())] == ["any", *known.names]
    assert known.names[last] in find(tab, QLabel, "chosen_what").text()
    assert tab.browser.model.data(tab.browser.model.index(0)).startswith(f"{known.names[last]} read as ")
    assert tab.browser.bars.accessibleDescription().split(":")[0] in known.names
    window.session.set_theme(Mode.SYSTEM)


def test_each_cell_of_the_matrix_can_be_opened(qtbot: QtBot, window: Window, known: Known) -> None:
    """Every cell can be opened with the mouse and the keyboard, and is described."""
    window.resize(1024, 700)
    tab = evaluate(qtbot, window, known)
    matrix = tab.overview.confusion
    last = len(known.names) - 1
    opened: list[tuple[int, int]] = []
    tab.overview.confusion.opened.connect(lambda *cell: opened.append(cell))
    for cell in ((0, last), (last, 0), (3, 7)):
        assert matrix.cell_at(matrix.rect_of(*cell).center()) == cell
    matrix.move_to(last, last - 1)
    for _ in range(3):
        qtbot.keyClick(matrix, Qt.Key.Key_Right)
    assert matrix.cell == (last, last)
    assert matrix.accessibleDescription().startswith(f"{known.names[last]} read as {known.names[last]}: ")
    qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert opened == [(last, last)]
    assert matrix.cell_at(QPointF(1, matrix.height() / 2)) is None


@pytest.mark.parametrize("size", [(348, 210), (520, 330), (1300, 800)])
@pytest.mark.parametrize("names", [DIGITS, tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), LONG[:10], LONG], ids=len)
def test_matrix_cells_get_most_of_the_space(
    qtbot: QtBot, theme: Theme, names: tuple[str, ...], size: tuple[int, int]
) -> None:
    """Cells get most of the space, names do not overlap, and the last cell ends at the edge."""
    view = ConfusionView(theme)
    qtbot.addWidget(view)
    view.resize(*size)
    view.set_confusion(np.eye(len(names), dtype=np.int64) * 12, names)
    assert not view.grab().isNull()
    last = view.rect_of(len(names) - 1, len(names) - 1)
    assert (last.right(), last.bottom()) == pytest.approx(size)
    first = view.rect_of(0, 0)
    assert first.left() < 0.4 * size[0]
    assert first.top() < 0.5 * size[1]
    metrics = QFontMetricsF(view.cell_font())
    if not view.above.turned:
        assert max(map(metrics.horizontalAdvance, names)) <= view.above.n_lanes * first.width()
    assert view.beside.n_lanes * (last.height() + 1) >= metrics.ascent()


def test_networks_with_different_classes_are_compared(
    qtbot: QtBot, window: Window, known: Known, tmp_path: Path
) -> None:
    """Predictions are compared by name, even if classes have another order or there is one more."""
    names = (*reversed(known.names), "another")[:62]
    other = save_weights(tmp_path / "other.npz", names, 1)
    tab = evaluate(qtbot, window, known, other)
    assert tab.outcome is not None
    first, second = tab.outcome.assessments
    answers = [[made.class_names[place] for place in made.predicted.tolist()] for made in (first, second)]
    assert second.digits.labels.tolist() == [names.index(first.class_names[label]) for label in first.digits.labels]
    browser = tab.browser
    browser.filter_choice.setCurrentIndex(browser.filter_choice.findData(DIFFERENT))
    different = [index for index, (a, b) in enumerate(zip(*answers, strict=True)) if a != b]
    assert sorted(browser.model.places.tolist()) == different
    browser.show_digit(5)
    assert find(tab, QLabel, "chosen_other").text() == f"Other network: {answers[1][5]}"
    assert "images are read right" in find(tab, QLabel, "verdict").text()


def test_exports_have_class_names(qtbot: QtBot, window: Window, known: Known, tmp_path: Path) -> None:
    """Exported tables contain the class names, and a matrix of many classes is large enough for its counts."""
    tab = evaluate(qtbot, window, known)
    tables = {
        name: list(csv.reader(tab.export.table(name)().decode().splitlines()))
        for name in ("classes", "confusion", "digits")
    }
    assert [row[0] for row in tables["classes"]] == ["class", *known.names]
    assert tables["confusion"][0] == ["class", *(f"read as {name}" for name in known.names)]
    assert tables["digits"][0][4:] == [f"p of {name}" for name in known.names]
    assert tables["digits"][3][1] == known.names[2]
    for name, width in (("confusion", 2600 if len(known.names) == 62 else 1200), ("map", 1200)):
        tab.export.write(tab.export.figure(name, "png"), tmp_path / f"{name}.png")
        qtbot.waitUntil((tmp_path / f"{name}.png").exists)
        with Image.open(tmp_path / f"{name}.png") as picture:
            assert picture.width == pytest.approx(width, abs=100)


def test_network_without_the_classes_of_the_data_is_reported(qtbot: QtBot, window: Window, known: Known) -> None:
    """If the network does not know the classes of the dataset, the error names both and says what to do."""
    window.show_page(EVALUATE)
    tab = window.page(EvaluateTab)
    tab.data_choice.set_value(str(known.folder))
    tab.evaluate_or_stop()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "problem") is not None)
    box = find(window, QMessageBox, "problem")
    text = box.informativeText()
    assert f"{known.folder.name} has the classes {known.names[0]}, {known.names[1]}" in text
    assert "digits.npz knows" in text
    assert "its classes are 0 to 9. Choose a dataset with these classes" in text
    box.close()
    assert tab.outcome is None


def test_digits_can_be_evaluated_after_other_classes(
    qtbot: QtBot, window: Window, known: Known, tmp_path: Path
) -> None:
    """Evaluating digits after other classes restores the views of digits."""
    evaluate(qtbot, window, known)
    rng = np.random.default_rng(3)

    def part(n: int) -> Digits:
        return Digits(rng.integers(0, 256, (n, 28, 28), np.uint8), (np.arange(n) % 10).astype(np.uint8))

    folder = write_folder(tmp_path / "plain", part(120), part(60))
    tab = evaluate(qtbot, window, Known(folder, DIGITS, save_weights(tmp_path / "digits.npz", DIGITS, 4)))
    table = find(tab, QTableWidget, "class_table")
    assert table.rowCount() == 10
    header = table.horizontalHeaderItem(0)
    assert header is not None
    assert header.text() == "Digit"
    assert find(tab, QComboBox, "is_digit").count() == 11
    assert not tab.browser.model.has_two_lines
    assert "of 60 digits" in find(tab, QLabel, "result_mistakes_more").text()
