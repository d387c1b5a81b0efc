import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QMessageBox, QPushButton, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from digitpad.cli import main
from digitpad.datasets.dataset import mnist
from digitpad.evaluation import robustness
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.evaluate.digit_browser import DIFFERENT
from digitpad.gui.evaluate.evaluate_overview import verdict
from digitpad.gui.evaluate.evaluate_tab import DIAGRAMS, IMAGES, MAP, OVERVIEW, SAMPLE, EvaluateTab
from digitpad.gui.evaluate.weights_choice import IN_USE
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.basics import Tile
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.gui.widgets.theme import Mode
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.number_format import format_percent
from digitpad.runs.trained_weights import weights_of
from digitpad.training.recipe_library import Recipes
from digitpad.training.trainer import Trainer
from digitpad.weights.native_format import SHIPPED, Weights
from tests.unit.datasets.idx_files import write_folder
from tests.unit.gui.hand import DRAW, EVALUATE, draw, find, menu_action, placed, reading

WAIT_MS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dataset folder with 200 test digits, including hard ones."""
    return write_folder(tmp_path_factory.mktemp("some"), mnist().training[:900], mnist().test[:200])


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory, recipes: Recipes) -> Path:
    """Weights of a briefly trained network, which reads some digits wrongly."""
    recipe = recipes.shipped["quick"].with_values({"training.epochs": 1, "network.hidden": [16]})
    few = mnist()
    dataset = type(few)("few", few.training[:2000], few.validation[:100], few.test[:100], "")
    trainer = Trainer(recipe, dataset)
    for _ in trainer.train():
        pass
    path = tmp_path_factory.mktemp("weights") / "poor.npz"
    weights_of(trainer, dataset).save(path)
    return path


@pytest.fixture
def tab(window: Window, folder: Path) -> EvaluateTab:
    """Evaluate tab with the small dataset selected."""
    window.show_page(EVALUATE)
    window.page(EvaluateTab).data_choice.set_value(str(folder))
    return window.page(EvaluateTab)


def evaluate(qtbot: QtBot, tab: EvaluateTab) -> None:
    tab.evaluate_or_stop()
    qtbot.waitUntil(lambda: not tab.busy and tab.outcome is not None, timeout=WAIT_MS)


@pytest.fixture
def evaluated(qtbot: QtBot, tab: EvaluateTab, poor: Path) -> EvaluateTab:
    tab.weights_choice.choose_file(poor)
    evaluate(qtbot, tab)
    return tab


def test_results_equal_those_of_the_command_line(
    qtbot: QtBot, tab: EvaluateTab, folder: Path, poor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The results of two networks and their comparison equal those of the command line exactly."""
    tab.weights_choice.choose_file(poor)
    tab.other_choice.choose_file(SHIPPED)
    evaluate(qtbot, tab)
    assert main(["evaluate", str(poor), "--data", str(folder), "--compare", str(SHIPPED), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    outcome = tab.outcome
    assert outcome is not None
    assert outcome.comparison is not None
    for made, values in zip(outcome.assessments, (printed, printed["compared"]), strict=True):
        assert values["weights"] == made.weights.name
        assert values["accuracy"] == made.scores.accuracy
        assert values["interval"] == list(made.interval)
        assert values["loss"] == made.scores.loss
        assert values["calibration_error"] == made.reliability.error
        assert values["not_sure"] == made.rejection_curve.not_sure_at_threshold
        assert values["confusion"] == made.confusion.tolist()
        assert [scores["recall"] for scores in values["classes"]] == [scores.recall for scores in made.classes]
    assert printed["compared"]["p"] == outcome.comparison.p
    assert find(tab, Tile, "result_accuracy").value == format_percent(printed["accuracy"], 2)
    assert f"p = {printed['compared']['p']:.2g}" in find(tab, QLabel, "verdict").text()
    comparison = replace(outcome.comparison, only_first=1, only_second=2)
    assert "1 digit is read right by" in verdict(comparison, *outcome.assessments)
    table = find(tab, QTableWidget, "class_table")
    item = table.item(3, 2)  # after the name and the count
    assert item is not None
    assert item.text() == format_percent(printed["classes"][3]["recall"], 2)


def test_hints_are_shown_before_an_evaluation(tab: EvaluateTab) -> None:
    """Before an evaluation every page shows a hint, and there is nothing to export."""
    for page in (OVERVIEW, IMAGES, SAMPLE, DIAGRAMS, MAP):
        tab.show_page(page)
        assert find(tab, QWidget, "evaluate_empty").isVisible()
    assert not find(tab, QPushButton, "export_button").isEnabled()
    tab.test_robustness()
    assert not tab.busy


def test_evaluation_can_be_stopped(qtbot: QtBot, window: Window, tab: EvaluateTab) -> None:
    """The button, the menu action and closing the window stop an evaluation without results."""
    tab.data_choice.set_value("mnist")
    button = find(tab, QPushButton, "evaluate_button")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (button.text(), tab.busy) == ("Stop", True)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (button.text(), tab.busy) == ("Evaluate", False)
    menu_action(window, "Evaluate").trigger()
    assert tab.busy
    window.close()
    assert not tab.busy
    assert tab.outcome is None


def test_unreadable_dataset_is_reported(qtbot: QtBot, window: Window, tab: EvaluateTab, tmp_path: Path) -> None:
    """A dataset that can't be read is reported, and the evaluation can be repeated."""
    tab.data_choice.set_value(str(tmp_path / "nowhere"))
    tab.evaluate_or_stop()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "problem") is not None, timeout=WAIT_MS)
    box = find(window, QMessageBox, "problem")
    assert box.text() == "The evaluation failed"
    assert "nowhere" in box.informativeText()
    box.close()
    assert find(tab, QPushButton, "evaluate_button").text() == "Evaluate"


def test_weights_in_use_are_evaluated(qtbot: QtBot, window: Window, tab: EvaluateTab) -> None:
    """The default choice is the network in use, listed by name."""
    network = Network(feedforward([8]))
    network.initialize(np.random.default_rng(1))
    window.session.use_network(Weights("mine.npz", network.architecture(), network.parameters))
    assert tab.weights_choice.value() == IN_USE
    assert tab.weights_choice.currentText() == "In use: mine.npz"
    evaluate(qtbot, tab)
    assert tab.outcome is not None
    assert tab.outcome.assessments[0].weights is window.session.weights


def test_opened_files_are_listed(window: Window, tab: EvaluateTab, poor: Path) -> None:
    """An opened network file is added to both choices without changing them."""
    window.networks.open(poor)
    for choice in (tab.weights_choice, tab.other_choice):
        assert choice.itemText(choice.findData(str(poor.resolve()))) == "poor.npz"
    assert (tab.weights_choice.value(), tab.other_choice.value()) == (IN_USE, "")


def test_part_of_the_dataset_can_be_selected(qtbot: QtBot, tab: EvaluateTab) -> None:
    """The selected part of the dataset, or all of it, is evaluated."""
    for place, part, n in ((1, "validation", 150), (2, "all", 1100)):
        tab.part_choice.choose(place)
        evaluate(qtbot, tab)
        assert tab.outcome is not None
        assert tab.outcome.assessments[0].part == part
        assert tab.outcome.assessments[0].scores.n == n
    assert tab.outcome is not None
    assert tab.outcome.name.endswith("digits")


def test_cell_shows_its_images(qtbot: QtBot, evaluated: EvaluateTab) -> None:
    """A click or Enter on a cell shows exactly the images that the cell counts."""
    outcome = evaluated.outcome
    assert outcome is not None
    made = outcome.assessments[0]
    digit, read_as = (int(place) for place in np.argwhere(made.confusion - np.diag(made.confusion.diagonal()))[0])
    matrix = evaluated.overview.confusion
    center = matrix.rect_of(digit, read_as).center().toPoint()
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=center)
    assert evaluated.pages_choice.current == IMAGES
    shown = evaluated.browser.model.places
    assert len(shown) == made.confusion[digit, read_as]
    assert (made.digits.labels[shown] == digit).all()
    assert (made.predicted[shown] == read_as).all()
    matrix.move_to(0, 0)
    for _ in range(3):
        qtbot.keyClick(matrix, Qt.Key.Key_Down)
        qtbot.keyClick(matrix, Qt.Key.Key_Right)
    qtbot.keyClick(matrix, Qt.Key.Key_Left)
    qtbot.keyClick(matrix, Qt.Key.Key_Right)
    assert matrix.cell == (3, 3)
    qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert len(evaluated.browser.model.places) == made.confusion[3, 3]
    evaluated.overview.table.activated.emit(evaluated.overview.table.model().index(7, 0))
    assert (made.digits.labels[evaluated.browser.model.places] == 7).all()
    assert len(evaluated.browser.model.places) == made.classes[7].n


def test_digits_are_filtered_and_sorted(evaluated: EvaluateTab) -> None:
    """Images can be filtered by mistakes, certainty and class, and sorted by confidence or dataset order."""
    outcome, browser = evaluated.outcome, evaluated.browser
    assert outcome is not None
    made = outcome.assessments[0]
    browser.show_mistakes()
    assert set(browser.model.places.tolist()) == set(made.mistakes.tolist())
    assert (np.diff(made.confidences[browser.model.places]) >= 0).all()
    browser.order_choice.setCurrentIndex(1)
    assert browser.model.places.tolist() == made.mistakes.tolist()
    browser.order_choice.setCurrentIndex(2)
    assert browser.model.places.tolist() == sorted(made.mistakes.tolist())
    browser.filter_choice.setCurrentIndex(2)
    assert browser.model.places.tolist() == np.flatnonzero(~made.is_sure).tolist()
    assert browser.filter_choice.findData(DIFFERENT) < 0
    browser.show_cell(-1, 4)
    assert (made.predicted[browser.model.places] == 4).all()
    index = browser.model.index(0)
    label, read_as = made.digits.labels[browser.model.places[0]], 4
    assert browser.model.data(index).startswith(f"{label} read as {read_as}")


def test_different_predictions_can_be_filtered(qtbot: QtBot, tab: EvaluateTab, poor: Path) -> None:
    """The filter for different predictions exists only if two networks are compared."""
    tab.other_choice.choose_file(poor)
    evaluate(qtbot, tab)
    assert tab.outcome is not None
    first, second = tab.outcome.assessments
    browser = tab.browser
    browser.filter_choice.setCurrentIndex(browser.filter_choice.findData(DIFFERENT))
    assert set(browser.model.places.tolist()) == set(np.flatnonzero(first.predicted != second.predicted).tolist())
    tab.other_choice.setCurrentIndex(0)
    evaluate(qtbot, tab)
    assert browser.filter_choice.findData(DIFFERENT) < 0
    assert len(browser.model.places) == 200


def test_image_can_be_put_on_the_pad(qtbot: QtBot, window: Window, evaluated: EvaluateTab) -> None:
    """Enter on a tile puts the image on the pad, where it is read and can be undone."""
    evaluated.show_page(IMAGES)
    evaluated.browser.show_digit(4)
    assert evaluated.browser.chosen == 4
    qtbot.keyClick(evaluated.browser.view, Qt.Key.Key_Return)
    assert not window.page(DrawTab).isHidden()
    assert reading(window).digit == mnist().test.labels[4]
    np.testing.assert_array_equal(reading(window).image, mnist().test.images[4])
    window.page(DrawTab).pad.undo_stack.undo()
    assert window.page(DrawTab).pad.is_empty


def test_selecting_a_hidden_image_resets_the_filters(evaluated: EvaluateTab) -> None:
    """Selecting an image that the filters hide resets the filters."""
    assert evaluated.outcome is not None
    right = int(np.flatnonzero(evaluated.outcome.assessments[0].right)[0])
    evaluated.browser.show_mistakes()
    evaluated.browser.show_digit(right)
    assert evaluated.browser.chosen == right


def test_key_draws_another_sample(qtbot: QtBot, window: Window, evaluated: EvaluateTab) -> None:
    """R draws 25 other images, and each can be opened with keys or a click."""
    evaluated.show_page(SAMPLE)
    grid = evaluated.sample.grid
    before = list(grid.places)
    assert len(set(before)) == 25
    window.activateWindow()
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: grid.places != before, timeout=WAIT_MS)
    assert len(set(grid.places)) == 25
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(grid, key)
    assert evaluated.browser.chosen == grid.places[6]
    evaluated.show_page(SAMPLE)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell(13).center().toPoint())
    assert evaluated.browser.chosen == grid.places[13]


def test_map_zooms_and_shows_digits(qtbot: QtBot, window: Window, evaluated: EvaluateTab) -> None:
    """Zooming keeps the point under the pointer fixed; the digit there, or at the centre, can be opened."""
    evaluated.show_page(MAP)
    view, outcome = evaluated.map, evaluated.outcome
    assert outcome is not None
    points = outcome.feature_map.points
    x, y = view.to_window(points[17:18])[0].tolist()
    wheel = QWheelEvent(
        QPointF(x, y), view.mapToGlobal(QPointF(x, y)), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    for _ in range(12):
        QApplication.sendEvent(view, wheel)
    assert view.zoom > 10
    np.testing.assert_allclose(view.to_window(points[17:18])[0], (x, y), atol=1e-6)
    qtbot.mouseMove(view, QPoint(round(x), round(y)))
    assert view.shown == 17
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == 1
    at_first = view.to_window(points[:1])[0]
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.to_window(points[:1])[0][0] > at_first[0]
    for key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Plus):
        qtbot.keyClick(view, key)
    assert view.zoom == pytest.approx(1.25)
    middle = (view.width() / 2, view.height() / 2)
    nearest = int(np.hypot(*(view.to_window(points) - middle).T).argmin())
    assert view.shown == nearest
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert evaluated.browser.chosen == nearest


def test_map_is_moved_by_dragging(qtbot: QtBot, evaluated: EvaluateTab) -> None:
    """Dragging moves the map without opening an image."""
    evaluated.show_page(MAP)
    view = evaluated.map
    assert evaluated.outcome is not None
    before = view.to_window(evaluated.outcome.feature_map.points[:1])[0]
    draw(view, [[(100, 100), (120, 130), (160, 150)]])
    np.testing.assert_allclose(
        view.to_window(evaluated.outcome.feature_map.points[:1])[0] - before, (60, 50), atol=1e-6
    )
    assert evaluated.pages_choice.current == MAP


def test_drawing_is_shown_on_the_map(window: Window, evaluated: EvaluateTab) -> None:
    """The drawing is shown on the map until the pad is cleared."""
    outcome = evaluated.outcome
    assert outcome is not None
    evaluated.put_on_pad(17)
    evaluated.show_page(MAP)
    window.show_page(EVALUATE)
    assert evaluated.map.drawing_point is not None
    assert np.isfinite(evaluated.map.drawing_point).all()
    window.page(DrawTab).pad.clear()
    assert evaluated.map.drawing_point is None
    window.show_page(DRAW)
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    window.show_page(EVALUATE)
    assert evaluated.map.drawing_point is not None


def test_diagrams_are_drawn_in_the_themes_colours(qtbot: QtBot, window: Window, evaluated: EvaluateTab) -> None:
    """Diagrams are drawn in a thread when first shown, and redrawn for another theme."""
    view = evaluated.diagram
    assert not view.is_drawn
    window.session.set_theme(Mode.LIGHT)
    evaluated.show_page(DIAGRAMS)
    qtbot.waitUntil(lambda: view.is_drawn, timeout=WAIT_MS)
    light = view.grab().toImage().pixelColor(2, 2).lightness()
    window.session.set_theme(Mode.DARK)
    qtbot.waitUntil(lambda: view.is_drawn, timeout=WAIT_MS)
    assert view.grab().toImage().pixelColor(2, 2).lightness() < 60 < 200 < light
    evaluated.diagram_choice.choose(1)
    qtbot.waitUntil(lambda: view.is_drawn, timeout=WAIT_MS)
    assert view.accessibleName() == "Accuracy against “not sure”"


def test_robustness_test_runs_on_request(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, evaluated: EvaluateTab, tmp_path: Path
) -> None:
    """The robustness test runs on request, and its curves can be exported as CSV."""
    monkeypatch.setattr(robustness, "DISTORTIONS", robustness.DISTORTIONS[1:2])
    evaluated.show_page(DIAGRAMS)
    evaluated.diagram_choice.choose(2)
    button = find(evaluated, QPushButton, "robustness_button")
    assert "Run robustness test" in evaluated.diagram.accessibleName()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert evaluated.busy
    qtbot.waitUntil(lambda: bool(evaluated.robust), timeout=WAIT_MS)
    assert button.isHidden()
    qtbot.waitUntil(lambda: evaluated.diagram.is_drawn, timeout=WAIT_MS)
    evaluated.export.write(evaluated.export.table("robustness"), tmp_path / "robustness.csv")
    qtbot.waitUntil((tmp_path / "robustness.csv").exists, timeout=WAIT_MS)
    assert (tmp_path / "robustness.csv").read_text().startswith("change,amount,unit,accuracy\nShift,0,px,")


def test_plots_and_tables_are_exported(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, window: Window, evaluated: EvaluateTab, tmp_path: Path
) -> None:
    """The export menu writes tables and images in the format of the file's suffix."""
    menu = find(evaluated, QMenu)
    menu.aboutToShow.emit()
    texts = [action.text() for action in menu.actions()]
    for text, name, begin in (
        ("Confusion matrix as CSV…", "matrix.csv", b"digit,read as 0,"),
        ("Confusion matrix as PNG or SVG…", "matrix.png", b"\x89PNG"),
        ("Reliability diagram as PNG or SVG…", "honest.svg", b"<?xml"),
    ):
        path = tmp_path / name
        monkeypatch.setattr(FileDialogs, "to_save", lambda *_, path=path: path)
        menu.actions()[texts.index(text)].trigger()
        qtbot.waitUntil(path.exists, timeout=WAIT_MS)
        assert path.read_bytes().startswith(begin)
    with Image.open(tmp_path / "matrix.png") as picture:
        assert picture.width == 1200
    assert not menu.actions()[texts.index("Robustness as CSV…")].isEnabled()


def test_failed_export_is_reported(qtbot: QtBot, window: Window, evaluated: EvaluateTab, tmp_path: Path) -> None:
    """A failed export shows the file and the reason, and the results stay."""
    evaluated.export.write(evaluated.export.table("classes"), tmp_path / "nowhere" / "classes.csv")
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "problem") is not None, timeout=WAIT_MS)
    box = find(window, QMessageBox, "problem")
    assert "classes.csv cannot be written" in box.informativeText()
    box.close()
    assert evaluated.outcome is not None


def test_other_file_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tab: EvaluateTab, poor: Path) -> None:
    """A file chosen in the dialog is added and selected; cancelling keeps the selection."""
    choice = tab.other_choice
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    choice.setCurrentIndex(choice.count() - 1)
    choice.activated.emit(choice.count() - 1)
    assert choice.value() == ""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(poor), ""))
    choice.setCurrentIndex(choice.count() - 1)
    choice.activated.emit(choice.count() - 1)
    assert choice.value() == str(poor)
    assert choice.currentText() == "poor.npz"
