"""The Inside tab: the pad and the layers on the left, details of the selection on the right."""

# Longer than 400 lines: the tab connects eight panels, and each needs its few lines here.

from collections.abc import Generator, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent, QUndoStack
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad import assets
from digitpad.class_names import DIGITS
from digitpad.errors import DigitpadError
from digitpad.evaluation.metrics import align_labels
from digitpad.gui.canvas.pad import Pad
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.inspect.edit_panel import EditPanel
from digitpad.gui.inspect.layers_view import Connections, LayersView, Selection
from digitpad.gui.inspect.nearest_panel import NearestPanel
from digitpad.gui.inspect.softmax_panel import SoftmaxPanel
from digitpad.gui.inspect.unit_panel import UnitPanel
from digitpad.gui.inspect.weights_view import WeightsView
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.gui.widgets.segmented_control import join_buttons
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.term_button import explain
from digitpad.gui.widgets.text_size import scale_with_text, scaled
from digitpad.inspection.measure import MeasuredAccuracy, measure
from digitpad.inspection.trace import ActivationTrace, Tracer
from digitpad.inspection.weight_edits import WeightEdits, n_weights
from digitpad.inspection.weight_images import first_weights
from digitpad.recognition.reading import Item
from digitpad.system import blas_threads
from digitpad.weights.native_format import SHIPPED, Weights, load_weights

FRAME_MS = 16
SHIPPED_DENSE = assets.MODEL / "dense.npz"
SIDE_PX = (316, 400)

PICTURES = {
    "Activations": ("A", "Activations of every layer for the drawing"),
    "First weights": ("F", "Weights of the first layer, as images"),
}
PANELS = {
    "Unit": ("U", "The selected unit, with its arithmetic"),
    "Softmax": ("S", "From logits to probabilities"),
    "Nearest": ("N", "Most similar images of the dataset"),
    "Edit": ("E", "Switch off, prune, quantise"),
}
"""The name of each page, its key, and its tooltip."""


@dataclass(frozen=True, eq=False)
class _Edited:
    """Edited network with its edits and its tracer."""

    edits: WeightEdits
    weights: Weights
    tracer: Tracer


class InspectTab(TabPage):
    """Tab that shows the activations and weights of the network in use or a built-in one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inside_tab")
        self._session = session
        theme = session.theme
        self._in_use = self.unedited = self.weights = session.weights
        self.tracer: Tracer | None = None  # made when the tab is first shown
        self.trace: ActivationTrace | None = None
        self._edits_of: dict[Hashable, WeightEdits] = {}  # edits of the networks shown before
        self.measured: dict[WeightEdits, MeasuredAccuracy] = {}
        self._used: Weights | None = None  # the edited network, if it is in use
        self._data_sha256 = ""  # of the dataset that accuracy was measured on
        self.data_choice = named(DatasetChoice(), "inside_data")
        self.data = DatasetLoader(self.data_choice.value())
        self.pad = Pad(theme)
        self.pad.setObjectName("inside_pad")
        self.view = LayersView(theme, self.pad)
        self.weights_view = WeightsView(theme)
        self._unit = UnitPanel(theme)
        self._softmax = SoftmaxPanel(theme)
        self.nearest = NearestPanel(theme)
        self.edit_panel = EditPanel()
        self.network_choice = named(Choice(), "look_into")
        self._summary = ElidedLabel("caption", "inside_summary")
        self._pictures, self.panels = QStackedWidget(), QStackedWidget()
        self._build()

        self.reading = Throttle(self._read, FRAME_MS, self)
        self._pointing = Throttle(self.show_selection, FRAME_MS, self)
        self.editing = TaskRunner("weight edits", Policy.LATEST, self)
        self.measuring = TaskRunner("accuracy", Policy.LATEST, self)
        self.nearest.set_data(self.data)
        self._connect()

    def _follow_network(self, weights: Weights) -> None:
        """Show another network in use, if the network in use is selected."""
        if weights.class_names != self._in_use.class_names:
            self.data_choice.follow(weights)
        self._in_use = weights
        self.network_choice.setItemText(0, f"In use: {weights.name}")
        if self.network_choice.currentIndex() == 0:
            self._inspect(weights)

    def saved_state(self) -> dict[str, Any]:
        """Return the dataset."""
        return {"data": self.data_choice.value()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Choose the dataset of the last session, if it is still there."""
        self.data_choice.restore(state.get("data"))

    def shut_down(self) -> None:
        """End all tasks, and cancel loading a dataset."""
        self.data.give_up()
        self.data_choice.close_download()
        super().shut_down()

    # The network.

    def _source_chosen(self, index: int) -> None:
        path: Path | None = [None, SHIPPED, SHIPPED_DENSE][index]
        try:
            self._inspect(self._in_use if path is None else load_weights(path))
        except DigitpadError as error:
            self._session.raise_error("This network can't be shown", error)
            self.network_choice.setCurrentIndex(0)

    def _inspect(self, weights: Weights) -> None:
        if self.tracer is not None:  # otherwise the edits are not yet those of this network
            self._edits_of[_identity(self.unedited)] = self.edit_panel.edits
        self.unedited = self.weights = weights
        self.tracer = None
        self.measured.clear()
        self.editing.cancel()
        self.measuring.cancel()
        if self.isVisible():
            self._open()

    def _open(self) -> None:
        """Show the network with the edits that it had."""
        self._show_network(self.unedited, Tracer(self.unedited))
        assert self.tracer is not None
        edits = self._edits_of.get(_identity(self.unedited), WeightEdits())
        self.edit_panel.set_network(self.tracer.blocks, edits)
        self._show_unedited()
        self._summary.set_text(self.tracer.network.summary())
        if edits == WeightEdits():
            self.view.set_edits(edits)
            self._measure()
        else:
            self._edited()

    def _show_network(self, weights: Weights, tracer: Tracer) -> None:
        self.weights, self.tracer = weights, tracer
        self.view.set_blocks(tracer.blocks, weights.class_names)
        self.pad.invite("Draw a digit" if weights.class_names == DIGITS else "Draw here")
        self._unit.set_classes(weights.class_names)
        self.weights_view.set_pictures(first_weights(tracer), tracer.blocks[1].n_units)
        self.edit_panel.set_count(*n_weights(tracer.network))
        self.nearest.set_weights(weights)
        self._read()

    # The data.

    def _data_chosen(self) -> None:
        """Use the chosen dataset to measure accuracy and to find similar images."""
        if self.data_choice.value() == self.data.source:
            return
        self.data.give_up()
        self.data = DatasetLoader(self.data_choice.value())
        self.measured.clear()
        self._show_unedited()
        self.nearest.set_data(self.data)
        self._measure()

    # Editing.

    def _edited(self) -> None:
        edits, base = self.edit_panel.edits, self.unedited
        self.view.set_edits(edits)
        self.edit_panel.set_measured(self.measured.get(edits))
        self.measuring.cancel()

        def work() -> Generator[None, None, _Edited]:
            yield None
            weights = edits.apply(base)
            return _Edited(edits, weights, Tracer(weights))

        self.editing.start(work, finished=self._show_edited)

    def _show_edited(self, edited: _Edited) -> None:
        self._show_network(edited.weights, edited.tracer)
        self._measure()

    def _measure(self) -> None:
        edits, weights, data = self.edit_panel.edits, self.weights, self.data
        known = self.measured.get(edits)
        self.edit_panel.set_measured(known)
        if known is not None or self.editing.busy or not self.edit_panel.isVisible():
            self.measuring.cancel()
            return

        def work() -> Generator[MeasuredAccuracy | None, None, tuple[WeightEdits, MeasuredAccuracy, str]]:
            yield None
            dataset = align_labels(data.get(), weights)
            return edits, (yield from measure(weights, dataset, blas_threads.thread_count())), dataset.sha256

        self.measuring.start(
            work,
            progressed=self.edit_panel.set_measured,
            finished=self._keep_measured,
            failed=lambda error: self.edit_panel.set_not_measured(error_message(error)),
        )

    def _keep_measured(self, result: tuple[WeightEdits, MeasuredAccuracy, str]) -> None:
        edits, measured, self._data_sha256 = result
        self.measured[edits] = measured
        self._show_unedited()
        if edits == self.edit_panel.edits:
            self.edit_panel.set_measured(measured)

    def _show_unedited(self) -> None:
        """Show the accuracy without edits: as measured, or as the network's file states it for this dataset."""
        measured, about = self.measured.get(WeightEdits()), self.unedited.about
        if measured is not None:
            self.edit_panel.set_unedited(measured.validation.accuracy, measured.test.accuracy)
        elif self.unedited.data_source == self.data.source:
            self.edit_panel.set_unedited(about.get("validation_accuracy"), about.get("test_accuracy"))
        else:
            self.edit_panel.set_unedited()

    def edited_weights(self) -> Weights:
        """Return the edited weights, with their accuracy if it was measured on their own dataset."""
        weights = self.edit_panel.edits.apply(self.unedited)
        measured = self.measured.get(self.edit_panel.edits)
        trained_on = weights.about.get("data")
        is_same_data = isinstance(trained_on, dict) and trained_on.get("sha256") == self._data_sha256
        if measured is None or weights is self.unedited or not is_same_data:
            return weights
        scores = {
            "validation_accuracy": measured.validation.accuracy,
            "test_accuracy": measured.test.accuracy,
            "test_n": measured.test.n,
        }
        return replace(weights, about={**weights.about, **scores})

    # The drawing.

    def _read(self) -> None:
        if self.tracer is None or not self.isVisible():
            return
        items, selected = self._number, self._session.selected
        self.pad.show_boxes(items, selected)
        image = items[selected].prediction.image if items else self.pad.drawing.rasterize()
        self.trace = self.tracer.trace(image) if image.any() else None
        self.view.set_trace(self.trace)
        if self._softmax.isVisible():
            self._softmax.set_logits(None if self.trace is None else self.trace.logits, self.weights.class_names)
        self.show_selection()
        if not self.pad.is_drawing:
            self._search()

    @property
    def _number(self) -> tuple[Item, ...]:
        """The digits of the number on the pad; empty while a stroke is drawn, and for a single digit."""
        reading = self._session.reading if self.pad.drawing is self._session.drawing else None
        return reading.items if reading is not None and len(reading.items) > 1 else ()

    def _search(self) -> None:
        self.nearest.set_image(None if self.trace is None else self.trace.image)

    def _hand_over(self) -> None:
        """Show the drawing of this tab in the Draw tab."""
        if self.pad.drawing is not self._session.drawing:
            self._session.put_drawing(self.pad.drawing, "Stroke")
        self._read()

    def _take_over(self) -> None:
        """Show the drawing of the Draw tab here."""
        if self.pad.drawing is not self._session.drawing and self.isVisible():
            self.pad.replace(self._session.drawing, "Drawing")

    def _undo_stack(self) -> QUndoStack:
        """Return the stack that the keys act on: strokes while the pad has the focus, else edits."""
        return self._session.undo_stack if self.pad.hasFocus() else self.edit_panel.stack

    # The selection.

    def show_selection(self) -> None:
        chosen = self.view.chosen
        if chosen is None or self.tracer is None:
            self._unit.show_nothing()
            self.view.set_joined(Connections())
            self.view.setAccessibleDescription("")
            return
        factor = self.edit_panel.edits.factor(chosen.block, chosen.unit)
        with np.errstate(over="ignore", invalid="ignore"):
            self.view.set_joined(self._unit.show_unit(self.tracer, self.trace, chosen, factor))
        self.view.setAccessibleDescription(self._unit.description)

    def _follow_pinned(self, pinned: Selection | None) -> None:
        self.edit_panel.set_chosen(pinned)
        self.weights_view.set_unit(pinned.unit if pinned is not None and pinned.block == 1 else None)

    def _unit_of_weights_chosen(self, unit: int) -> None:
        self.view.choose(Selection(1, unit))

    # Building.

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(3 * SPACE)
        for text in (f"In use: {self._in_use.name}", "Built-in, convolutional", "Built-in, dense"):
            self.network_choice.addItem(text)
        self.network_choice.setAccessibleName("Network")
        self.network_choice.setToolTip("The network to show")
        scale_with_text(self.network_choice, self.network_choice.setFixedWidth, 220)
        self.data_choice.setAccessibleName("Dataset")
        self.data_choice.setToolTip("The dataset for accuracy and for the most similar images")
        scale_with_text(self.data_choice, self.data_choice.setFixedWidth, 150)
        label = make_label("Network", "soft")
        about = explain(label, "network")
        top.addWidget(label)
        top.addWidget(self.network_choice)
        top.addWidget(make_label("Dataset", "soft"))
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
        for panel in (self._unit, self._softmax, self.nearest, self.edit_panel):
            self.panels.addWidget(panel)
        left = make_card("layers_card")
        inner = QVBoxLayout(left)
        inner.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        inner.addWidget(self._pictures)
        self.side = make_card("side_card")
        inner = QVBoxLayout(self.side)
        inner.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        inner.setSpacing(3 * SPACE)
        inner.addLayout(self._segments("panels", PANELS, self.panels))
        inner.addWidget(self.panels, 1)
        row.addWidget(left, 1)
        row.addWidget(self.side)
        column.addLayout(row, 1)
        self.setTabOrder(self.network_choice, about)
        self.setTabOrder(self.pad, self.view)  # although the pad is inside the view

    def _segments(self, name: str, titles: dict[str, tuple[str, str]], pages: QStackedWidget) -> QHBoxLayout:
        """Build a row of buttons, one for each page."""
        buttons = []
        for title, (key, tip) in titles.items():
            button = named(QPushButton(title), f"{name}_{title.lower().replace(' ', '_')}")
            for widget in (self.view, self.pad, self.weights_view):  # in a list, letters search by typing
                shortcut = QShortcut(QKeySequence(key), widget)
                shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(button.click)
            button.setToolTip(f"{tip} ({key})")
            buttons.append(button)
        row = QHBoxLayout()
        group = join_buttons(buttons, row, self, tight=True, stretch=1, pages=True)
        buttons[0].setChecked(True)
        group.idClicked.connect(pages.setCurrentIndex)
        return row

    def _connect(self) -> None:
        self.network_choice.currentIndexChanged.connect(self._source_chosen)
        self.data_choice.currentIndexChanged.connect(self._data_chosen)
        self.pad.drawing_changed.connect(self.reading.request)
        self.pad.settled.connect(self._hand_over)
        self.pad.customContextMenuRequested.connect(
            lambda place: self._session.show_pad_menu(self.pad.mapToGlobal(place))
        )
        self._session.drawing_settled.connect(self._take_over)
        self._session.reading_changed.connect(self.reading.request)
        self.pad.box_chosen.connect(self._session.select)
        self._session.network_changed.connect(self._follow_network)
        self.data_choice.share(self._session)
        self.data_choice.follow(self._in_use)
        self.view.chosen_changed.connect(self._pointing.request)
        self.view.pinned_changed.connect(self._follow_pinned)
        self.view.toggled.connect(self.edit_panel.toggle)
        self.weights_view.chosen.connect(self._unit_of_weights_chosen)
        self.edit_panel.changed.connect(self._edited)
        self.edit_panel.save_requested.connect(lambda: self._session.save_requested.emit(self.edited_weights()))
        self.edit_panel.use_requested.connect(self._use_edited)
        self.panels.currentChanged.connect(self._panel_changed)
        for key, act in (
            (QKeySequence.StandardKey.Undo, lambda: self._undo_stack().undo()),
            (QKeySequence.StandardKey.Redo, lambda: self._undo_stack().redo()),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def finish_work(self) -> str:
        """Return a description of what would be lost: an edited network in use that is not saved."""
        session = self._session
        if self._used is None or session.weights is not self._used or session.network_path is not None:
            return ""
        return f"{self._used.name}, edited in the Inside tab, is not saved."

    def _use_edited(self) -> None:
        self._used = self.edited_weights()
        self._session.use_network(self._used)
        self._session.show_page("Draw")
        self._session.say("The Draw tab uses the edited network", Lifetime.NETWORK)

    def _panel_changed(self) -> None:
        self._read()
        self._measure()

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take_over()
        if self.tracer is None:
            self._open()
        else:
            self._read()
            self._measure()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.measuring.cancel()
        self.nearest.cancel()

    def resizeEvent(self, event: QResizeEvent) -> None:
        share = round(min(max(0.24 * self.width(), scaled(SIDE_PX[0])), scaled(SIDE_PX[1])))
        self.side.setFixedWidth(max(share, self.side.minimumSizeHint().width()))
        super().resizeEvent(event)


def _identity(weights: Weights) -> Hashable:
    """Return a key that is the same when the weights are loaded again."""
    return weights.name, hash(weights.parameters.tobytes())
