from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QSlider,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import Dataset, Digits
from digitpad.errors import WeightsError
from digitpad.evaluation.metrics import evaluate, run_to_end
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.inspect.inspect_tab import SHIPPED_DENSE, InspectTab
from digitpad.gui.inspect.layers_view import Selection
from digitpad.gui.inspect.numeric_table import NumericTable
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.theme import Mode
from digitpad.inspection.neighbours import FeatureIndex
from digitpad.inspection.trace import ActivationTrace
from digitpad.inspection.weight_edits import WeightEdits
from digitpad.nn.feedforward import feedforward
from digitpad.nn.network import Network
from digitpad.weights.native_format import Weights, load_weights
from tests.unit.gui.hand import DRAW, INSIDE, draw, find, mouse, placed
from tests.unit.inspection import networks

CONVOLUTIONAL, DENSE = 1, 2


def seven(tab: InspectTab) -> None:
    """Draw a 7 on the pad of the tab."""
    side = tab.pad.width()
    draw(tab.pad, placed(7, 0.2 * side, 0.2 * side, 0.6 * side))


def button(tab: InspectTab, name: str) -> QPushButton:
    return find(tab, QPushButton, name)


def sheet(tab: InspectTab, name: str) -> str:
    return find(tab, NumericTable, name).text


def text(tab: InspectTab, name: str) -> str:
    return find(tab, QLabel, name).text()


def trace(tab: InspectTab) -> ActivationTrace:
    assert tab.trace is not None
    return tab.trace


def point_at(tab: InspectTab, chosen: Selection) -> None:
    """Move the mouse over a position of a tile, with no button pressed."""
    tiles = tab.view.columns[chosen.block]
    where = tiles.rect(chosen.unit) if tiles.side is None else tiles.place_rect(chosen.unit, chosen.row, chosen.column)
    position = where.center()
    none, at = Qt.MouseButton.NoButton, QPointF(tab.view.mapToGlobal(position))
    event = QMouseEvent(QEvent.Type.MouseMove, position, at, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(tab.view, event)


def settled(tab: InspectTab) -> bool:
    """Return whether the current edits are shown."""
    return not tab.editing.busy


@pytest.fixture
def digits() -> Dataset:
    """Dataset that is small enough to be evaluated at once."""
    rng = np.random.default_rng(6)

    def some(n: int) -> Digits:
        return Digits(rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8))

    trained_on = load_weights(SHIPPED_DENSE).about["data"]["sha256"]
    return Dataset("small", some(30), some(40), some(50), trained_on)


@pytest.fixture
def inside(qtbot: QtBot, window: Window, digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> InspectTab:
    """Return the Inside tab with the dense network, which is the fastest."""
    monkeypatch.setattr("digitpad.gui.data.dataset_loader.load", lambda source, tell: digits)
    tab = window.page(InspectTab)
    window.show_page(INSIDE)
    tab.network_choice.setCurrentIndex(DENSE)
    qtbot.waitUntil(lambda: tab.view.width() > 400)
    return tab


def test_shortcut_opens_the_tab(qtbot: QtBot, window: Window) -> None:
    """Ctrl and the number of the tab open the tab."""
    qtbot.keyClick(window, Qt.Key(Qt.Key.Key_1 + INSIDE), Qt.KeyboardModifier.ControlModifier)
    assert window.page(InspectTab).isVisible()
    tabs = find(window, QTabBar)
    assert tabs.tabText(tabs.currentIndex()) == "Inside"


@pytest.mark.parametrize("network", [0, CONVOLUTIONAL, DENSE])
def test_activations_are_those_of_the_network(inside: InspectTab, window: Window, network: int) -> None:
    """The trace matches the network in use and both built-in networks."""
    find(inside, QComboBox, "look_into").setCurrentIndex(network)
    seven(inside)
    image = inside.pad.drawing.rasterize()
    expected = inside.weights.network().forward(image[None])[0]
    np.testing.assert_allclose(trace(inside).logits, expected, rtol=1e-4, atol=1e-4)
    assert [block.name for block in inside.view.blocks][-2:] == ["Dense 1" if network < DENSE else "Dense 2", "Output"]
    assert window.page(DrawTab).read_now() is not None


def test_tabs_share_the_drawing(inside: InspectTab, window: Window) -> None:
    """The Inside and Draw tabs share the drawing and its undo history."""
    seven(inside)
    main = window.page(DrawTab).pad
    assert main.drawing is inside.pad.drawing
    window.show_page(DRAW)
    main.undo_stack.undo()
    draw(main, placed(1, 100, 100, 250))
    window.show_page(INSIDE)
    assert inside.pad.drawing is main.drawing
    assert trace(inside).probabilities.argmax() == 1
    button(inside, "inside_clear").click()
    assert main.is_empty
    assert inside.trace is None


def test_hidden_tab_does_nothing(inside: InspectTab, window: Window) -> None:
    """A hidden tab does not read drawings from other tabs."""
    window.show_page(DRAW)
    before = inside.trace
    draw(window.page(DrawTab).pad, placed(3, 100, 100, 250))
    assert inside.trace is before
    assert inside.pad.is_empty


def test_empty_pad_shows_hints(qtbot: QtBot, inside: InspectTab) -> None:
    """With an empty pad the panels show hints instead of numbers."""
    inside.view.choose(Selection(1, 2))
    qtbot.waitUntil(lambda: "Draw on the pad" in text(inside, "unit_about"))
    assert sheet(inside, "unit_sheet") == ""
    inside.view.choose(None)
    qtbot.waitUntil(lambda: "Point at a unit" in sheet(inside, "unit_sheet"))
    button(inside, "panels_softmax").click()
    assert "Draw on the pad" in sheet(inside, "softmax_sheet")


def test_calculation_of_the_unit_under_the_pointer_is_shown(qtbot: QtBot, inside: InspectTab) -> None:
    """The panel shows the terms, the sum and the activation; a click keeps the selection and Esc clears it."""
    seven(inside)
    unit = int(trace(inside).outputs[3].argmax())
    point_at(inside, Selection(1, unit))
    qtbot.waitUntil(lambda: text(inside, "unit_title") == f"Dense 1 · unit {unit}")
    lines = sheet(inside, "unit_sheet").splitlines()
    assert lines[1].startswith("pixel ")
    value = float(trace(inside).outputs[3][unit])
    assert lines[-2] == f"ReLU  {value:.3f}"
    QApplication.sendEvent(inside.view, QEvent(QEvent.Type.Leave))
    assert inside.view.chosen is None
    mouse(inside.view, QEvent.Type.MouseButtonPress, inside.view.columns[1].rect(unit).center().toTuple())
    QApplication.sendEvent(inside.view, QEvent(QEvent.Type.Leave))
    assert inside.view.chosen == Selection(1, unit)
    qtbot.keyClick(inside.view, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: text(inside, "unit_title") == "Nothing selected")


def test_selected_digit_of_a_number_is_shown(qtbot: QtBot, inside: InspectTab, window: Window) -> None:
    """Of "47", the 4 is traced; a click on the label of its box selects the 7."""
    scale = inside.pad.width() / 500
    for digit, x in ((4, 80), (7, 260)):
        draw(inside.pad, placed(digit, x * scale, 150 * scale, 150 * scale))
    qtbot.waitUntil(lambda: int(np.argmax(trace(inside).logits)) == 4)
    label = inside.pad.box_label(1).center()
    qtbot.mouseClick(inside.pad, Qt.MouseButton.LeftButton, pos=label.toPoint())
    qtbot.waitUntil(lambda: int(np.argmax(trace(inside).logits)) == 7)
    assert window.session.selected == 1


def test_numbers_are_updated_with_the_drawing(qtbot: QtBot, inside: InspectTab) -> None:
    """The numbers of the selected unit change while a stroke is drawn."""
    seven(inside)
    inside.view.choose(Selection(3, 7))
    qtbot.waitUntil(lambda: text(inside, "unit_title") == "Output · digit 7")
    before = sheet(inside, "unit_sheet")
    side = inside.pad.width()
    mouse(inside.pad, QEvent.Type.MouseButtonPress, (side * 0.3, side * 0.5))
    mouse(inside.pad, QEvent.Type.MouseMove, (side * 0.7, side * 0.5))
    qtbot.waitUntil(lambda: sheet(inside, "unit_sheet") != before)
    mouse(inside.pad, QEvent.Type.MouseButtonRelease, (side * 0.7, side * 0.5))


def test_effect_of_an_input_pixel_is_shown(qtbot: QtBot, inside: InspectTab) -> None:
    """The panel lists the effect of a pixel on ten classes, with its ink or with full ink."""
    seven(inside)
    row, column = np.argwhere(trace(inside).image == 255)[0].tolist()
    point_at(inside, Selection(0, 0, row, column))
    qtbot.waitUntil(lambda: "Ink 255 of 255" in text(inside, "unit_about"))
    assert len([line for line in sheet(inside, "unit_sheet").splitlines() if line[:1].isdecimal()]) == 10
    point_at(inside, Selection(0, 0, 0, 0))
    qtbot.waitUntil(lambda: "No ink" in text(inside, "unit_about"))


def test_units_are_reached_by_keys(qtbot: QtBot, inside: InspectTab) -> None:
    """Arrow keys move between tiles and layers, and with Shift within a map; they reach every block."""
    inside.network_choice.setCurrentIndex(CONVOLUTIONAL)
    seven(inside)
    view = inside.view
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.chosen == Selection(1, 0)
    seen = set()
    for _ in range(60):
        qtbot.keyClick(view, Qt.Key.Key_Right)
        assert view.chosen is not None
        seen.add(view.chosen.block)
    assert seen == set(range(1, len(view.columns)))
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert view.chosen == Selection(0, 0, 1, 0)
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.chosen == Selection(len(view.columns) - 1, 1)
    for _ in range(60):
        qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.chosen is not None
    assert view.chosen.block == 0
    qtbot.waitUntil(lambda: view.accessibleDescription().startswith("Pixel"))


def test_switching_a_unit_off_changes_the_logits(qtbot: QtBot, inside: InspectTab) -> None:
    """Space and the button switch a unit off, which changes the logits; Ctrl+Z switches it on again."""
    seven(inside)
    before = trace(inside).logits.copy()
    unit = int(np.abs(trace(inside).outputs[5]).argmax())
    inside.view.choose(Selection(2, unit))
    qtbot.keyClick(inside.view, Qt.Key.Key_Space)
    qtbot.waitUntil(partial(settled, inside))
    after = WeightEdits().with_factor(2, unit, 0).apply(inside.unedited).network().forward(trace(inside).image[None])[0]
    np.testing.assert_allclose(trace(inside).logits, after, rtol=1e-4, atol=1e-4)
    assert np.abs(after - before).max() > 0.1
    assert text(inside, "unit_about").endswith("off")
    inside.view.setFocus()
    qtbot.keyClick(inside.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(partial(settled, inside))
    np.testing.assert_array_equal(trace(inside).logits, before)
    button(inside, "panels_edit").click()
    button(inside, "switch_off").click()
    qtbot.waitUntil(partial(settled, inside))
    np.testing.assert_allclose(trace(inside).logits, after, rtol=1e-4, atol=1e-4)
    assert button(inside, "switch_off").text() == "Switch on"


def test_only_hidden_units_can_be_switched_off(inside: InspectTab) -> None:
    """Pixels and outputs can't be switched off."""
    for chosen in (Selection(0, 0, 3, 3), Selection(3, 1)):
        inside.view.choose(chosen)
        assert not button(inside, "switch_off").isEnabled()
        inside.edit_panel.toggle(chosen)
        assert inside.edit_panel.edits == WeightEdits()


def test_slider_drag_is_one_undo_step(qtbot: QtBot, inside: InspectTab) -> None:
    """Each slider drag is one undo step, unless it ends where it started."""
    slider = find(inside, QSlider, "pruned")
    button(inside, "panels_edit").click()
    for values in ((10, 20, 30), (40, 50)):
        slider.sliderPressed.emit()
        for value in values:
            slider.setValue(value)
    assert inside.edit_panel.edits.pruned == 0.5
    button(inside, "undo_edit").click()
    assert inside.edit_panel.edits.pruned == 0.3
    assert slider.value() == 30
    button(inside, "undo_edit").click()
    assert inside.edit_panel.edits == WeightEdits()
    button(inside, "redo_edit").click()
    assert inside.edit_panel.edits.pruned == 0.3
    slider.sliderPressed.emit()
    for value in (31, 30):
        slider.setValue(value)
    button(inside, "undo_edit").click()
    assert inside.edit_panel.edits == WeightEdits()
    qtbot.waitUntil(partial(settled, inside))


def test_all_edits_are_listed_and_reset(qtbot: QtBot, inside: InspectTab) -> None:
    """Each edit has a line; Reset all removes the edits and can be undone."""
    button(inside, "panels_edit").click()
    inside.view.choose(Selection(1, 4))
    find(inside, QSlider, "factor").setValue(30)
    find(inside, QSlider, "pruned").setValue(25)
    button(inside, "bits_4").click()
    lines = ["25\N{NO-BREAK SPACE}% of weights pruned", "Dense 1, unit 4 × 1.5", "4 bits per weight"]
    assert text(inside, "edits").splitlines() == lines
    button(inside, "put_back").click()
    assert text(inside, "edits") == "No edits yet"
    assert not button(inside, "put_back").isEnabled()
    button(inside, "undo_edit").click()
    assert text(inside, "edits").splitlines() == lines
    assert button(inside, "bits_4").isChecked()
    for unit in range(10, 16):
        inside.edit_panel.toggle(Selection(1, unit))
    assert text(inside, "edits").splitlines()[-1] == "and 7 more"
    qtbot.waitUntil(partial(settled, inside))


def accuracies(tab: InspectTab) -> list[str]:
    return [text(tab, f"{name}_accuracy") for name in ("validation", "test")]


def expected_accuracies(weights: Weights, dataset: Dataset) -> list[str]:
    parts = [evaluate(weights.network(), part).accuracy for part in (dataset.validation, dataset.test)]
    return [f"{100 * accuracy:.2f}\N{NO-BREAK SPACE}%" for accuracy in parts]


def test_accuracy_is_updated_after_edits(qtbot: QtBot, inside: InspectTab, digits: Dataset) -> None:
    """The accuracy is that of the edited weights; a known accuracy is shown at once."""
    button(inside, "panels_edit").click()
    plain = expected_accuracies(inside.unedited, digits)
    qtbot.waitUntil(lambda: accuracies(inside) == plain)
    button(inside, "bits_4").click()
    find(inside, QSlider, "pruned").setValue(97)
    edited = expected_accuracies(inside.edit_panel.edits.apply(inside.unedited), digits)
    assert edited != plain
    qtbot.waitUntil(lambda: not inside.measuring.busy and accuracies(inside) == edited)
    assert " to " in text(inside, "test_interval")
    button(inside, "put_back").click()
    assert accuracies(inside) == plain
    assert text(inside, "unedited") == f"Unedited: {plain[0]} and {plain[1]}"


def test_accuracy_is_measured_for_the_selected_network(qtbot: QtBot, inside: InspectTab, digits: Dataset) -> None:
    """Another network is evaluated again."""
    for part in (digits.validation, digits.test):
        part.labels[:] = inside.unedited.network().forward(part.images).argmax(axis=1)
    button(inside, "panels_edit").click()
    whole = "100.00\N{NO-BREAK SPACE}%"
    qtbot.waitUntil(lambda: accuracies(inside) == [whole, whole])
    inside.network_choice.setCurrentIndex(CONVOLUTIONAL)
    expected = expected_accuracies(inside.unedited, digits)
    assert expected != [whole, whole]
    qtbot.waitUntil(lambda: accuracies(inside) == expected)


def test_accuracy_is_measured_only_while_visible(inside: InspectTab, window: Window) -> None:
    """The accuracy is measured only while the Edit panel is visible."""
    assert not inside.measuring.busy
    button(inside, "panels_edit").click()
    assert inside.measuring.busy
    window.show_page(DRAW)
    assert not inside.measuring.busy


def test_edited_weights_are_saved_with_their_edits(
    qtbot: QtBot, inside: InspectTab, digits: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The saved file has the edited weights, the edits and the measured accuracy."""
    target = tmp_path / "mine.npz"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda self: [str(target)])
    button(inside, "panels_edit").click()
    assert not button(inside, "save_edited").isEnabled()
    button(inside, "bits_8").click()
    qtbot.waitUntil(lambda: inside.edit_panel.edits in inside.measured)
    button(inside, "save_edited").click()
    saved = load_weights(target)
    expected = WeightEdits(bits=8).apply(inside.unedited)
    np.testing.assert_array_equal(saved.parameters, expected.parameters)
    assert saved.about["edited"][0]["bits"] == 8
    assert saved.test_accuracy == evaluate(expected.network(), digits.test).accuracy


def test_edited_network_can_be_used(qtbot: QtBot, inside: InspectTab, window: Window) -> None:
    """The edited network becomes the network in use on all tabs."""
    button(inside, "panels_edit").click()
    inside.edit_panel.toggle(Selection(1, 3))
    button(inside, "use_edited").click()
    assert window.session.weights.name == "dense-edited.npz"
    assert window.page(DrawTab).isVisible()
    window.show_page(INSIDE)
    inside.network_choice.setCurrentIndex(0)
    assert inside.edit_panel.edits == WeightEdits()
    np.testing.assert_array_equal(inside.unedited.parameters, window.session.weights.parameters)
    assert "dense-edited.npz" in inside.network_choice.itemText(0)


def test_tab_follows_the_network_in_use(inside: InspectTab, window: Window, shipped: Weights) -> None:
    """The tab follows the network in use only if that network is selected."""
    zero = Weights("zero.npz", shipped.architecture, shipped.parameters * 0)
    window.session.use_network(zero)
    assert inside.unedited.name == "dense.npz"
    inside.network_choice.setCurrentIndex(0)
    assert inside.unedited is zero
    window.session.use_network(shipped)
    assert inside.unedited is shipped


def test_each_network_keeps_its_edits(qtbot: QtBot, inside: InspectTab, window: Window) -> None:
    """Each network keeps its own edits while other networks are shown or in use."""
    button(inside, "bits_4").click()
    inside.network_choice.setCurrentIndex(CONVOLUTIONAL)
    assert inside.edit_panel.edits == WeightEdits()
    window.show_page(DRAW)
    for name in ("dense", "convolutional"):
        window.session.use_network(networks.weights(name))
    window.show_page(INSIDE)
    inside.network_choice.setCurrentIndex(0)
    assert inside.edit_panel.edits == WeightEdits()
    inside.network_choice.setCurrentIndex(DENSE)
    assert inside.edit_panel.edits == WeightEdits(bits=4)
    assert button(inside, "bits_4").isChecked()
    qtbot.waitUntil(partial(settled, inside))
    assert inside.weights.name == "dense-edited.npz"
    assert not inside.edit_panel.stack.canUndo()
    button(inside, "put_back").click()
    qtbot.waitUntil(partial(settled, inside))
    assert inside.weights is inside.unedited


def test_unreadable_network_is_reported(inside: InspectTab, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a network can't be loaded, the error is shown and the network in use is displayed."""

    def fails(path: object) -> Weights:
        raise WeightsError("dense.npz", "is gone")

    inside.network_choice.setCurrentIndex(0)
    monkeypatch.setattr("digitpad.gui.inspect.inspect_tab.load_weights", fails)
    inside.network_choice.setCurrentIndex(DENSE)
    box = find(window, QMessageBox, "problem")
    assert "is gone" in box.informativeText()
    box.close()
    assert inside.network_choice.currentIndex() == 0
    assert inside.unedited is window.session.weights


def test_softmax_follows_the_temperature(inside: InspectTab) -> None:
    """A high temperature makes probabilities more even; their sum stays 100 %."""
    button(inside, "panels_softmax").click()
    seven(inside)
    slider = find(inside, QSlider, "temperature")

    def share() -> float:
        line = next(line for line in sheet(inside, "softmax_sheet").splitlines() if line.startswith("7  "))
        return float(line.split()[-2])

    assert share() > 90
    assert "T = 1: the output of the network itself" in sheet(inside, "softmax_sheet")
    slider.setValue(slider.maximum())
    assert text(inside, "temperature_value") == "10.00"
    assert 10 < share() < 60
    assert "100.0\N{NO-BREAK SPACE}%" in sheet(inside, "softmax_sheet")


def labels(tab: InspectTab, name: str) -> str:
    return find(tab, QWidget, name).accessibleDescription()


def test_the_nearest_digits_are_found(qtbot: QtBot, inside: InspectTab, digits: Dataset) -> None:
    """Both searches find an image of the dataset first, with any network."""
    seven(inside)
    image = trace(inside).image
    digits.training.images[17] = image
    digits.training.labels[:] = 3
    digits.training.labels[17] = 9
    button(inside, "panels_nearest").click()
    for name in ("nearest_by_pixels", "nearest_by_layer"):
        qtbot.waitUntil(lambda name=name: labels(inside, name).startswith("9, 3"))  # type: ignore[misc]
    qtbot.waitUntil(lambda: text(inside, "layer_said") == "Most similar of 30, by activations")
    inside.network_choice.setCurrentIndex(CONVOLUTIONAL)
    assert labels(inside, "nearest_by_layer") == "none yet"
    qtbot.waitUntil(lambda: labels(inside, "nearest_by_layer").startswith("9, 3"))
    result = inside.nearest.by_layer.result
    assert result is not None
    index = FeatureIndex(inside.unedited, digits.training.images)
    run_to_end(index.read_on())
    np.testing.assert_allclose(result.distances, index.nearest(image, 8).distances, rtol=1e-4, atol=1e-4)
    inside.pad.clear()
    assert labels(inside, "nearest_by_pixels") == "none yet"


def test_unit_can_be_selected_by_its_first_weights(qtbot: QtBot, inside: InspectTab) -> None:
    """A click or an arrow key selects the unit that the panel shows."""
    seven(inside)
    button(inside, "pictures_first_weights").click()
    view = inside.weights_view
    tiles = view.tiles
    assert tiles is not None
    assert tiles.n == 512
    mouse(view, QEvent.Type.MouseButtonPress, tiles.rect(8).center().toTuple())
    qtbot.waitUntil(lambda: text(inside, "unit_title") == "Dense 1 · unit 8")
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: text(inside, "unit_title") == "Dense 1 · unit 9")


@pytest.mark.parametrize("network", [CONVOLUTIONAL, DENSE])
@pytest.mark.parametrize("mode", [Mode.LIGHT, Mode.DARK])
def test_nothing_is_cut_off_in_the_smallest_window(
    qtbot: QtBot, inside: InspectTab, window: Window, network: int, mode: Mode
) -> None:
    """Every button and label has enough room on every panel, and tiles neither overlap nor leave the view."""
    window.session.set_theme(mode)
    window.resize(1024, 700)
    inside.network_choice.setCurrentIndex(network)
    seven(inside)
    inside.view.choose(Selection(1, 3, 4, 4) if network == CONVOLUTIONAL else Selection(1, 3))
    qtbot.waitUntil(lambda: inside.width() == 1024)
    for panel in ("unit", "softmax", "nearest", "edit"):
        button(inside, f"panels_{panel}").click()
        qtbot.waitUntil(lambda: inside.grab() is not None)
        texts: list[QPushButton | QLabel] = [*inside.findChildren(QPushButton), *inside.findChildren(QLabel)]
        for widget in texts:
            if widget.isVisible() and widget.text() and widget.objectName() != "inside_summary":
                assert widget.width() >= widget.minimumSizeHint().width(), (panel, widget.objectName())
                wraps = isinstance(widget, QLabel) and widget.wordWrap()
                needed = widget.heightForWidth(widget.width()) if wraps else widget.sizeHint().height() - 1
                assert widget.height() >= needed, (panel, widget.objectName())
    areas = [tiles.area for tiles in inside.view.columns]
    for area in areas:
        assert inside.view.rect().toRectF().adjusted(0, 0, 1, 1).contains(area)
    for left, right in zip(areas[:-1], areas[1:], strict=True):
        assert left.right() < right.left()
    qtbot.waitUntil(partial(settled, inside))
    window.session.set_theme(Mode.SYSTEM)


def test_network_reads_at_most_once_per_frame(qtbot: QtBot, inside: InspectTab) -> None:
    """The network reads at most once per frame, independent of the number of pointer events."""
    assert inside.tracer is not None
    traces: list[object] = []
    trace_once: Callable[..., ActivationTrace] = inside.tracer.trace

    def counted(image: object) -> ActivationTrace:
        traces.append(image)
        return trace_once(image)

    inside.tracer.trace = counted  # type: ignore[method-assign]
    side = inside.pad.width()
    draw(inside.pad, [[(side * (0.3 + 0.0004 * i), side * (0.2 + 0.0006 * i)) for i in range(1000)]])
    qtbot.waitUntil(lambda: not inside.reading.is_pending)
    assert 1 <= len(traces) < 300


def wild() -> Weights:
    """Return weights that overflow."""
    weights = networks.weights("convolutional")
    weights.parameters[:] = 1e30
    return weights


@pytest.mark.parametrize("name", [*networks.LAYERS, "wild"])
def test_any_network_can_be_inspected(
    qtbot: QtBot, inside: InspectTab, window: Window, recwarn: pytest.WarningsRecorder, name: str
) -> None:
    """Every block and panel works for every kind of network, with and without edits, and for NaN and infinity."""
    window.session.use_network(wild() if name == "wild" else networks.weights(name))
    inside.network_choice.setCurrentIndex(0)
    seven(inside)
    for panel in ("unit", "softmax", "nearest", "edit"):
        button(inside, f"panels_{panel}").click()
        for place, block in enumerate(inside.view.blocks):
            inside.view.choose(Selection(place, block.n_units - 1))
            inside.show_selection()
            assert text(inside, "unit_title")
            inside.grab()
    button(inside, "bits_4").click()
    for place, block in enumerate(inside.view.blocks[1:-1], start=1):
        inside.edit_panel.toggle(Selection(place, block.n_units - 1))
    qtbot.waitUntil(partial(settled, inside))
    button(inside, "pictures_first_weights").click()
    inside.grab()
    button(inside, "pictures_activations").click()
    inside.grab()
    qtbot.waitUntil(lambda: not inside.measuring.busy)
    assert not [str(warning.message) for warning in recwarn.list]


def test_undo_key_follows_the_focus(qtbot: QtBot, inside: InspectTab, window: Window) -> None:
    """Ctrl+Z undoes a stroke if the pad has the focus, else an edit."""
    seven(inside)
    inside.edit_panel.toggle(Selection(1, 3))
    inside.pad.setFocus()
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(inside.pad, Qt.Key.Key_Z, control)
    assert inside.pad.is_empty
    assert window.page(DrawTab).pad.is_empty
    assert inside.edit_panel.edits != WeightEdits()
    inside.view.setFocus()
    qtbot.keyClick(inside.view, Qt.Key.Key_Z, control)
    assert inside.edit_panel.edits == WeightEdits()
    qtbot.waitUntil(partial(settled, inside))


def test_tab_goes_in_reading_order(inside: InspectTab) -> None:
    """Tab moves from the network to the pad, the layers and the panel."""
    order, widget = [], inside.network_choice.nextInFocusChain()
    while widget is not None and widget is not inside.network_choice:
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            order.append(widget.objectName())  # the buttons that explain a term may stand between them
        widget = widget.nextInFocusChain()
    assert [name for name in order if not name.startswith("term_")][:10] == [
        "inside_data",
        "inside_clear",
        "pictures_activations",
        "pictures_first_weights",
        "inside_pad",
        "layers_view",
        "panels_unit",
        "panels_softmax",
        "panels_nearest",
        "panels_edit",
    ]


def test_deep_network_has_a_column_per_layer(inside: InspectTab, window: Window) -> None:
    """A network with 40 layers has a column for each layer."""
    network = Network(feedforward([8] * 40))
    window.session.use_network(Weights("deep.npz", network.architecture(), network.parameters))
    inside.network_choice.setCurrentIndex(0)
    window.resize(1024, 700)
    areas = [tiles.area for tiles in inside.view.columns]
    assert len(areas) == 42
    for left, right in zip(areas[:-1], areas[1:], strict=True):
        assert left.right() <= right.left() + 1


@pytest.mark.parametrize("place", range(4))
def test_panels_fit_into_the_smallest_window(qtbot: QtBot, window: Window, place: int) -> None:
    """The widgets of each panel and its buttons don't overlap."""
    window.resize(window.minimumSize())
    window.show_page(INSIDE)
    tab = window.page(InspectTab)
    tab.panels.setCurrentIndex(place)
    side = tab.side
    qtbot.waitUntil(lambda: side.geometry().bottom() < tab.height())
    widgets = [child for child in side.findChildren(QWidget) if child.isVisible() and not child.findChildren(QWidget)]
    boxes = [QRect(widget.mapTo(side, QPoint(0, 0)), widget.size()) for widget in widgets]
    overlapping = [
        (left.objectName(), right.objectName())
        for (left, first), (right, second) in combinations(zip(widgets, boxes, strict=True), 2)
        if first.intersects(second)
    ]
    assert not overlapping
    assert all(side.rect().contains(box) for box in boxes)


def test_clicked_unit_is_pinned_for_editing(qtbot: QtBot, inside: InspectTab) -> None:
    """Switch off acts on the unit clicked last, although the pointer was on it before the click."""
    button(inside, "panels_edit").click()
    view = inside.view
    last = len(view.columns) - 2
    for block, unit in ((1, 3), (last, 17)):
        at = view.columns[block].rect(unit).center().toTuple()
        mouse(view, QEvent.Type.MouseMove, at)
        mouse(view, QEvent.Type.MouseButtonPress, at)
    assert view.pinned == inside.edit_panel.chosen
    assert (view.pinned.block, view.pinned.unit) == (last, 17)  # type: ignore[union-attr]


def test_an_edited_network_in_use_is_not_lost_silently(window: Window, inside: InspectTab) -> None:
    """Closing asks about an edited network until it is saved or another network is used."""
    assert window.finish_work() == ""
    inside.edit_panel.use_requested.emit()
    assert "edited in the Inside tab" in window.finish_work()
    window.networks.use_built_in()
    assert window.finish_work() == ""


def test_letter_keys_depend_on_the_focus(qtbot: QtBot, window: Window, inside: InspectTab) -> None:
    """A letter key selects a panel if the layers have the focus, and otherwise goes to the focused list."""
    window.activateWindow()
    inside.network_choice.setFocus()
    qtbot.keyClick(inside.network_choice, Qt.Key.Key_S)
    assert inside.panels.currentIndex() == 0
    inside.view.setFocus()
    qtbot.keyClick(inside.view, Qt.Key.Key_S)
    assert inside.panels.currentIndex() == 1
