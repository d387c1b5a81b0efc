"""The Inside tab: the pad and the layers on the left, and beside them what is to be said of what is pointed at."""

from collections.abc import Generator, Hashable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent, QUndoStack
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad import assets
from digitpad.class_names import DIGITS
from digitpad.errors import DigitpadError
from digitpad.evaluation.metrics import relabelled
from digitpad.gui.canvas.pad import Pad
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.inspect.edit_panel import EditPanel
from digitpad.gui.inspect.layers_view import Connections, LayersView, Selection
from digitpad.gui.inspect.nearest_panel import NearestPanel
from digitpad.gui.inspect.softmax_panel import SoftmaxPanel
from digitpad.gui.inspect.unit_panel import UnitPanel
from digitpad.gui.inspect.weights_view import WeightsView
from digitpad.gui.tasks.latest_work import LatestWork
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, keep_width, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.gui.widgets.theme import Theme
from digitpad.inspection.measure import MeasuredAccuracy, measure
from digitpad.inspection.trace import ActivationTrace, Tracer
from digitpad.inspection.weight_edits import WeightEdits, n_weights
from digitpad.inspection.weight_images import first_weights
from digitpad.system import blas_threads
from digitpad.weights.native_format import SHIPPED, Weights, load_weights

FRAME_MS = 16
SHIPPED_DENSE = assets.MODEL / "dense.npz"
SIDE_PX = (316, 400)

PICTURES = {
    "Activations": ("A", "What every layer makes of the drawing"),
    "First weights": ("F", "What each unit of the first layer looks for"),
}
PANELS = {
    "Unit": ("U", "What is pointed at, written out"),
    "Softmax": ("S", "From logits to probabilities"),
    "Nearest": ("N", "Training images like the drawing"),
    "Edit": ("E", "Switch off, prune, quantise"),
}
"""Each page's name, its key, and what it shows."""


@dataclass(frozen=True, eq=False)
class _Edited:
    """What a surgery came to, made in a thread."""

    surgery: WeightEdits
    weights: Weights
    tracer: Tracer


class InspectTab(QWidget):
    """Looks into one network: the one in use, or one of those that are shipped."""

    use_requested = Signal(object)  # Weights: the Draw tab shall read with them
    save_requested = Signal(object)  # Weights: to a file of the user's choice
    failed = Signal(object)  # DigitpadError: why a network cannot be looked into

    def __init__(self, theme: Theme, pad: Pad, weights: Weights) -> None:
        super().__init__()
        self.setObjectName("inside_tab")
        self._main_pad = pad
        self._in_use = self._base = self._weights = weights
        self._tracer: Tracer | None = None  # made when the tab is first shown
        self._trace: ActivationTrace | None = None
        self._left: dict[Hashable, WeightEdits] = {}  # edits of networks that were looked into before
        self._known: dict[WeightEdits, MeasuredAccuracy] = {}
        self._data_sha256 = ""  # of what was measured on
        self.data_choice = named(DatasetChoice(), "inside_data")
        self._data = DatasetLoader(self.data_choice.value())
        self.pad = Pad(theme)
        self.pad.setObjectName("inside_pad")
        self.view = LayersView(theme, self.pad)
        self.weights_view = WeightsView(theme)
        self._unit = UnitPanel(theme)
        self._softmax = SoftmaxPanel(theme)
        self._nearest = NearestPanel(theme)
        self.edits = EditPanel()
        self._source = named(Choice(), "look_into")
        self._summary = ElidedLabel("caption", "inside_summary")
        self._pictures, self._panels = QStackedWidget(), QStackedWidget()
        self._build()

        self._reading = Throttle(self._read, FRAME_MS, self)
        self._pointing = Throttle(self._show_chosen, FRAME_MS, self)
        self._editing = LatestWork("surgery", self)
        self._editing.finished.connect(self._show_edited)
        self._measuring = LatestWork("accuracy", self)
        self._measuring.progressed.connect(self.edits.set_measured)
        self._measuring.finished.connect(self._keep_measured)
        self._measuring.failed.connect(self.edits.set_not_measured)
        self._nearest.set_data(self._data)
        self._connect()

    def set_weights(self, weights: Weights) -> None:
        """Those in use are others; where they are looked into, so is this."""
        if weights.class_names != self._in_use.class_names:
            self.data_choice.follow(weights)
        self._in_use = weights
        self._source.setItemText(0, f"In use: {weights.name}")
        if self._source.currentIndex() == 0:
            self._look_into(weights)

    def shut_down(self) -> None:
        """End what works in threads."""
        self._data.give_up()
        self.data_choice.shut_down()
        for work in (self._editing, self._measuring, self._nearest.work):
            work.shut_down()

    # The network.

    def _source_chosen(self, index: int) -> None:
        path: Path | None = [None, SHIPPED, SHIPPED_DENSE][index]
        try:
            self._look_into(self._in_use if path is None else load_weights(path))
        except DigitpadError as error:
            self.failed.emit(error)
            self._source.setCurrentIndex(0)

    def _look_into(self, weights: Weights) -> None:
        if self._tracer is not None:  # else the edits are not of this network yet
            self._left[_which(self._base)] = self.edits.surgery
        self._base = self._weights = weights
        self._tracer = None
        self._known.clear()
        self._editing.cancel()
        self._measuring.cancel()
        if self.isVisible():
            self._open()

    def _open(self) -> None:
        """Make what is needed to look into the network, with the edits that it had."""
        self._show_network(self._base, Tracer(self._base))
        assert self._tracer is not None
        surgery = self._left.get(_which(self._base), WeightEdits())
        self.edits.set_network(self._tracer.blocks, surgery)
        self._tell_unedited()
        self._summary.set_text(self._tracer.network.summary())
        if surgery == WeightEdits():
            self.view.set_surgery(surgery)
            self._measure()
        else:
            self._edited()

    def _show_network(self, weights: Weights, tracer: Tracer) -> None:
        self._weights, self._tracer = weights, tracer
        self.view.set_blocks(tracer.blocks, weights.class_names)
        self.pad.invite("Draw a digit" if weights.class_names == DIGITS else "Draw here")
        self._unit.set_classes(weights.class_names)
        self.weights_view.set_pictures(first_weights(tracer), tracer.blocks[1].n_units)
        self.edits.set_count(*n_weights(tracer.network))
        self._nearest.set_weights(weights)
        self._read()

    # The data.

    def _data_chosen(self) -> None:
        """Measure on, and search in, what is chosen."""
        if self.data_choice.value() == self._data.source:
            return
        self._data.give_up()
        self._data = DatasetLoader(self.data_choice.value())
        self._known.clear()
        self._tell_unedited()
        self._nearest.set_data(self._data)
        self._measure()

    # Editing.

    def _edited(self) -> None:
        surgery, base = self.edits.surgery, self._base
        self.view.set_surgery(surgery)
        self.edits.set_measured(self._known.get(surgery))
        self._measuring.cancel()

        def work() -> Generator[None, None, _Edited]:
            yield None
            weights = surgery.apply(base)
            return _Edited(surgery, weights, Tracer(weights))

        self._editing.start(work)

    def _show_edited(self, edited: _Edited) -> None:
        self._show_network(edited.weights, edited.tracer)
        self._measure()

    def _measure(self) -> None:
        surgery, weights, data = self.edits.surgery, self._weights, self._data
        known = self._known.get(surgery)
        self.edits.set_measured(known)
        if known is not None or self._editing.busy or not self.edits.isVisible():
            self._measuring.cancel()
            return

        def work() -> Generator[MeasuredAccuracy | None, None, tuple[WeightEdits, MeasuredAccuracy, str]]:
            yield None
            dataset = relabelled(data.get(), weights)
            return surgery, (yield from measure(weights, dataset, blas_threads.thread_count())), dataset.sha256

        self._measuring.start(work)

    def _keep_measured(self, told: tuple[WeightEdits, MeasuredAccuracy, str]) -> None:
        surgery, measured, self._data_sha256 = told
        self._known[surgery] = measured
        self._tell_unedited()
        if surgery == self.edits.surgery:
            self.edits.set_measured(measured)

    def _tell_unedited(self) -> None:
        """How well the network reads as it is: as measured, or as its file says of these data."""
        measured, about = self._known.get(WeightEdits()), self._base.about
        if measured is not None:
            self.edits.set_unedited(measured.validation.accuracy, measured.test.accuracy)
        elif self._base.data_source == self._data.source:
            self.edits.set_unedited(about.get("validation_accuracy"), about.get("test_accuracy"))
        else:
            self.edits.set_unedited()

    def _edited_weights(self) -> Weights:
        """As they are edited now, with what was measured of them on the data that they were trained on."""
        weights = self.edits.surgery.apply(self._base)
        measured = self._known.get(self.edits.surgery)
        trained_on = weights.about.get("data")
        is_of_theirs = isinstance(trained_on, dict) and trained_on.get("sha256") == self._data_sha256
        if measured is None or weights is self._base or not is_of_theirs:
            return weights
        scores = {
            "validation_accuracy": measured.validation.accuracy,
            "test_accuracy": measured.test.accuracy,
            "test_n": measured.test.n,
        }
        return replace(weights, about={**weights.about, **scores})

    # The drawing.

    def _read(self) -> None:
        if self._tracer is None or not self.isVisible():
            return
        image = self.pad.drawing.rasterize()
        self._trace = self._tracer.trace(image) if image.any() else None
        self.view.set_trace(self._trace)
        if self._softmax.isVisible():
            self._softmax.set_logits(None if self._trace is None else self._trace.logits, self._weights.class_names)
        self._show_chosen()
        if not self.pad.drawing_one:
            self._search()

    def _search(self) -> None:
        self._nearest.set_image(None if self._trace is None else self._trace.image)

    def _hand_over(self) -> None:
        """What was drawn here is on the pad of the Draw tab."""
        if self.pad.drawing is not self._main_pad.drawing:
            self._main_pad.replace(self.pad.drawing, "Stroke")
        self._read()

    def _take_over(self) -> None:
        """What is on the pad of the Draw tab is here."""
        if self.pad.drawing is not self._main_pad.drawing and self.isVisible():
            self.pad.replace(self._main_pad.drawing, "Drawing")

    def _undone_here(self) -> QUndoStack:
        """Whose changes the keys undo: strokes with the focus on the pad, else edits."""
        return self._main_pad.undo_stack if self.pad.hasFocus() else self.edits.stack

    # What is pointed at.

    def _show_chosen(self) -> None:
        chosen = self.view.chosen
        if chosen is None or self._tracer is None:
            self._unit.show_nothing()
            self.view.set_joined(Connections())
            self.view.setAccessibleDescription("")
            return
        factor = self.edits.surgery.factor(chosen.block, chosen.unit)
        with np.errstate(over="ignore", invalid="ignore"):
            self.view.set_joined(self._unit.show_unit(self._tracer, self._trace, chosen, factor))
        self.view.setAccessibleDescription(self._unit.said)

    def _chosen_changed(self) -> None:
        fixed = self.view.fixed
        self.edits.set_chosen(fixed)
        self.weights_view.set_unit(fixed.unit if fixed is not None and fixed.block == 1 else None)
        self._pointing.request()

    def _unit_of_weights_chosen(self, unit: int) -> None:
        self.view.choose(Selection(1, unit))

    # Building.

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(3 * SPACE)
        for text in (f"In use: {self._in_use.name}", "Shipped, convolutional", "Shipped, dense"):
            self._source.addItem(text)
        self._source.setAccessibleName("Look into")
        self._source.setToolTip("Which network is looked into")
        self._source.setFixedWidth(220)
        self.data_choice.setAccessibleName("Data")
        self.data_choice.setToolTip("What accuracy is measured on, and among what the nearest images are looked for")
        self.data_choice.setFixedWidth(150)
        top.addWidget(make_label("Look into", "soft"))
        top.addWidget(self._source)
        top.addWidget(make_label("Data", "soft"))
        top.addWidget(self.data_choice)
        top.addWidget(self._summary, 1)
        clear = named(QPushButton("Clear"), "inside_clear")
        clear.setToolTip("Empty the pad")
        clear.clicked.connect(lambda: self.pad.clear())
        top.addWidget(clear)
        top.addLayout(self._segments("pictures", PICTURES, self._pictures))
        column.addLayout(top)
        row = QHBoxLayout()
        row.setSpacing(4 * SPACE)
        for picture in (self.view, self.weights_view):
            self._pictures.addWidget(picture)
        for panel in (self._unit, self._softmax, self._nearest, self.edits):
            self._panels.addWidget(panel)
        left = make_card("layers_card")
        inner = QVBoxLayout(left)
        inner.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        inner.addWidget(self._pictures)
        self._side = make_card("side_card")
        inner = QVBoxLayout(self._side)
        inner.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        inner.setSpacing(3 * SPACE)
        inner.addLayout(self._segments("panels", PANELS, self._panels))
        inner.addWidget(self._panels, 1)
        row.addWidget(left, 1)
        row.addWidget(self._side)
        column.addLayout(row, 1)
        self.setTabOrder(self.pad, self.view)  # though the pad lies in the view

    def _segments(self, name: str, titles: dict[str, tuple[str, str]], pages: QStackedWidget) -> QHBoxLayout:
        """Buttons beside each other, one for each page, with its key and what it shows."""
        row = QHBoxLayout()
        row.setSpacing(0)
        group = QButtonGroup(self)
        for place, (title, (key, tip)) in enumerate(titles.items()):
            button = named(QPushButton(title), f"{name}_{title.lower().replace(' ', '_')}")
            button.setCheckable(True)
            button.setChecked(place == 0)
            button.setProperty("kind", "left" if place == 0 else "right" if place == len(titles) - 1 else "middle")
            button.setShortcut(key)
            button.setToolTip(f"{tip} ({key})")
            keep_width(button, tight=True)
            group.addButton(button, place)
            row.addWidget(button, 1)
        group.idClicked.connect(pages.setCurrentIndex)
        return row

    def _connect(self) -> None:
        self._source.currentIndexChanged.connect(self._source_chosen)
        self.data_choice.currentIndexChanged.connect(self._data_chosen)
        self.pad.drawing_changed.connect(self._reading.request)
        self.pad.settled.connect(self._hand_over)
        self._main_pad.settled.connect(self._take_over)
        self.view.chosen_changed.connect(self._chosen_changed)
        self.view.toggled.connect(self.edits.toggle)
        self.weights_view.chosen.connect(self._unit_of_weights_chosen)
        self.edits.changed.connect(self._edited)
        self.edits.save_requested.connect(lambda: self.save_requested.emit(self._edited_weights()))
        self.edits.use_requested.connect(lambda: self.use_requested.emit(self._edited_weights()))
        self._panels.currentChanged.connect(self._panel_changed)
        for key, act in (
            (QKeySequence.StandardKey.Undo, lambda: self._undone_here().undo()),
            (QKeySequence.StandardKey.Redo, lambda: self._undone_here().redo()),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _panel_changed(self) -> None:
        self._read()
        self._measure()

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take_over()
        if self._tracer is None:
            self._open()
        else:
            self._read()
            self._measure()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._measuring.cancel()
        self._nearest.work.cancel()

    def resizeEvent(self, event: QResizeEvent) -> None:
        share = round(min(max(0.24 * self.width(), SIDE_PX[0]), SIDE_PX[1]))
        self._side.setFixedWidth(max(share, self._side.minimumSizeHint().width()))
        super().resizeEvent(event)


def _which(weights: Weights) -> Hashable:
    """What is the same for weights that are loaded again."""
    return weights.name, hash(weights.parameters.tobytes())
