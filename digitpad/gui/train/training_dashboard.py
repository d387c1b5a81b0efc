"""Progress of a training: figures, curves, first layer, last batch, and the reading of the user's digit."""

# Longer than 400 lines: the cards share the state of one training.

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import DIGITS
from digitpad.gui.canvas.pixel_view import PixelView
from digitpad.gui.charts.legend import LegendEntry, line_symbol
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.gui.train.image_grid import ImageGrid
from digitpad.gui.train.loss_trace import LossTrace
from digitpad.gui.train.training_history import HistoryPoint, Scrubber, TrainingHistory
from digitpad.gui.train.training_task import TrainingReport, TrainingStart
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, Tile, make_card, make_label, named
from digitpad.gui.widgets.reserved_label import ReservedLabel
from digitpad.gui.widgets.segmented_control import SegmentedControl
from digitpad.gui.widgets.term_button import TermButton, explain
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_count, format_percent
from digitpad.recognition.recognizer import Prediction
from digitpad.runs.run_comparison import format_duration
from digitpad.training.events import EpochDone, Result, SettingChange
from digitpad.training.hints import hints

if TYPE_CHECKING:
    from digitpad.gui.train.training_plots import TrainingCurves
    from digitpad.plotting.curve_points import Series


_PINNED_TEXT = "Your digit during training"
_EMPTY_TEXT = "Draw a digit to follow its reading"


class TrainingDashboard(QWidget):
    """Collects the events of a training, and shows the latest state whenever `draw` is called."""

    use_requested = Signal()  # use the trained network
    failed = Signal(str, object)  # title, DigitpadError
    curves_added = Signal()  # matplotlib is imported, and the curves are in their cards

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.pinned: Prediction | None = None
        self._losses = LossTrace()
        self.history = TrainingHistory()
        self.changes: list[SettingChange] = []
        self._epochs: list[EpochDone] = []
        self._steps_per_epoch = 1
        self._latest: TrainingReport | None = None
        self._class_names = DIGITS
        self._planned = (1, "")
        self.loss_curves: TrainingCurves | None = None
        self._accuracy_curves: TrainingCurves | None = None
        self._importing = TaskRunner("plots", Policy.QUEUE, self)
        self._tiles = {
            name: Tile(title, f"tile_{name}", term=term)
            for name, title, term in (
                ("epoch", "Epoch", "epoch"),
                ("loss", "Training loss", "loss"),
                ("accuracy", "Validation accuracy", "validation"),
                ("speed", "Images / s", "images-per-second"),
                ("left", "Time left", "time-left"),
            )
        }
        self._progress = named(QProgressBar(textVisible=False), "training_progress")
        self._build()

    @property
    def is_empty(self) -> bool:
        """Whether no epoch has been scored yet."""
        return not self._epochs

    @property
    def n_steps(self) -> int:
        """Number of steps reported so far."""
        return len(self._losses)

    @property
    def share(self) -> float:
        """Share of the steps that are done."""
        return self._progress.value() / max(1, self._progress.maximum())

    @property
    def charts(self) -> "list[QWidget]":
        """The charts and what belongs to them, in tab order."""
        curves = [chart for chart in (self.loss_curves, self._accuracy_curves) if chart is not None]
        return [*curves[:1], *self._views.findChildren(QPushButton), *curves[1:], self.scrubber, self._use]

    def set_name(self, name: str) -> None:
        """Show the name of the run above its curves."""
        self._loss_heading.setText(f"Loss · {name}" if name else "Loss")
        self._accuracy_name.set_text(name)

    def pin(self, prediction: Prediction | None) -> None:
        """Show the reading of this digit from now on; None for an empty pad."""
        self.pinned = prediction
        self.history.forget_answers()
        self._seen.set_prediction(prediction)
        self.scrubber.set_moments(self.history)
        self._pinned_answer.set_text("")
        self._pinned_text.set_text(_EMPTY_TEXT if prediction is None else _PINNED_TEXT)

    def set_plan(self, epochs: int, hint: str = "") -> None:
        """Show axes for a number of epochs, with a hint while they are empty."""
        epochs = max([epochs, *(epoch.epoch for epoch in self._epochs)])
        self._planned = epochs, hint
        if self.loss_curves is not None and self._accuracy_curves is not None:
            self.loss_curves.set_plan(epochs, hint)
            self._accuracy_curves.set_plan(epochs)
            self._draw_curves()
        self._progress.setMaximum(max(1, self._steps_per_epoch * epochs))

    def set_left(self, text: str, title: str = "Time left") -> None:
        """Replace the time left by another text."""
        self._tiles["left"].set_value(text, title)

    def show_result(self, result: Result) -> None:
        """Show the scores of the best epoch, whose weights are kept, and say which epoch it is."""
        accuracy, test = format_percent(result.validation.accuracy, 2), format_percent(result.test.accuracy, 2)
        self._tiles["accuracy"].set_value(accuracy, f"Validation, epoch {result.best_epoch}")
        self.set_left(test, f"Test, epoch {result.best_epoch}")

    def set_usable(self, usable: bool) -> None:
        """Show the Use button, which is the primary one then, or hide it."""
        self._use.setVisible(usable)

    def clear(self, epochs: int) -> None:
        """Prepare for a training with this number of epochs."""
        self._losses = LossTrace()
        self._epochs.clear()
        self.history = TrainingHistory()
        self.changes.clear()
        self._latest = None
        self._progress.setValue(0)
        for tile in self._tiles.values():
            tile.set_value("–")
        self._tiles["accuracy"].set_value("–", "Validation accuracy")
        self.set_left("–")
        self._tiles["epoch"].set_value(f"0 / {epochs}")
        self.set_name("")
        self.set_plan(epochs)
        self.pin(self.pinned)

    # Events of a training.

    def prepared(self, made: int, total: int) -> None:
        """Show how many training drawings have been generated."""
        self._progress.setRange(0, total)
        self._progress.setValue(made)

    def end_preparing(self) -> None:
        """Show the progress of the last training again, as the next one did not start."""
        epochs, _ = self._planned
        self._progress.setMaximum(max(1, self._steps_per_epoch * epochs))
        self._progress.setValue(len(self._losses))

    def begun(self, start: TrainingStart) -> None:
        """Show the history of a training that starts or resumes."""
        self.set_name(start.name)
        self.changes = list(start.history.changes)
        self._steps_per_epoch = start.steps_per_epoch
        self._losses = LossTrace(start.steps_per_epoch)
        self._losses.extend(start.history.losses)
        self._epochs = list(start.history.epochs)
        self.set_plan(start.recipe.training.epochs)
        self._progress.setValue(len(self._losses))

    def reported(self, report: TrainingReport) -> None:
        """Add steps."""
        self._losses.extend(report.losses)
        self._latest = report
        is_pinned = self.pinned is not None and report.pinned is self.pinned.image
        self.history.add(HistoryPoint(report.step, report.answer if is_pinned else None, report.seen.weights))
        self._class_names = report.class_names

    def scored(self, epoch: EpochDone) -> None:
        """Add an epoch."""
        self._epochs.append(epoch)

    def changed(self, change: SettingChange) -> None:
        """Mark a change of settings."""
        self.changes.append(change)
        self._draw_changes()

    # Drawing.

    def draw(self, *, counts_down: bool) -> None:
        """Show the latest state; ``counts_down`` is whether to update the time left."""
        report = self._latest
        if report is not None:
            epochs, _ = self._planned
            epoch = min(epochs, -(-report.step // self._steps_per_epoch))
            self._tiles["epoch"].set_value(f"{epoch} / {epochs}")
            self._tiles["loss"].set_value(f"{self._losses.recent_mean:.4f}")
            self._tiles["speed"].set_value(format_count(round(report.images_per_second)))
            if counts_down and report.seconds_left is not None:
                self._tiles["left"].set_value(format_duration(report.seconds_left))
            self._progress.setValue(report.step)
        self._draw_hint()
        if self._epochs:
            last = self._epochs[-1]
            self._tiles["accuracy"].set_value(
                format_percent(last.validation.accuracy, 2), f"Validation, epoch {last.epoch}"
            )
        self.scrubber.set_moments(self.history)
        self.draw_moment()
        self._draw_curves()

    def draw_moment(self) -> None:
        """Show the first layer and the digit's reading now, or at the step chosen in the scrubber."""
        moment = self.scrubber.moment
        if moment is not None and moment.answer is not None:
            digit = int(np.argmax(moment.answer))
            text = f"{self._class_names[digit]} · {format_percent(moment.answer[digit])}"
            self._pinned_answer.set_text(text)
        if moment is not None:
            self._weights_grid.set_images(moment.weights)
        if self._latest is not None:
            self._batch_grid.set_images(self._latest.seen.batch)
        if self.pinned is not None:
            self._pinned_text.set_text(_at(moment.step) if self.scrubber.is_back and moment else _PINNED_TEXT)

    def _draw_curves(self) -> None:
        if self.loss_curves is None or self._accuracy_curves is None or not self._epochs or not self.isVisible():
            return
        from digitpad.plotting.curve_points import Series

        self._draw_changes()
        x = np.array([epoch.step for epoch in self._epochs]) / self._steps_per_epoch
        steps, losses = self._losses.points()
        raw = Series(steps / self._steps_per_epoch, losses)

        def series(part: str, score: str) -> "Series":
            return Series(x, np.array([getattr(getattr(epoch, part), score) for epoch in self._epochs]))

        self.loss_curves.set_series(raw, series("training", "loss"), series("validation", "loss"))
        best = max(epoch.validation.accuracy for epoch in self._epochs)
        self._accuracy_curves.set_series(
            None, series("training", "accuracy"), series("validation", "accuracy"), best if len(x) > 1 else None
        )

    def _draw_changes(self) -> None:
        if self.loss_curves is not None:
            self.loss_curves.set_marks(
                [(change.step / self._steps_per_epoch, describe_change(change)) for change in self.changes]
            )

    def _draw_hint(self) -> None:
        dead = 0.0 if self._latest is None else self._latest.dead
        found = hints(self._losses.points()[1], self._epochs, dead, len(self._class_names))
        self._hint.setText(found[0] if found else "")

    def _import_plots(self) -> None:
        """Import matplotlib when a plot is first shown, as a task, because it takes a while."""
        load = partial(import_module, "digitpad.gui.train.training_plots")
        self._importing.start(load, finished=self._add_curves, failed=self._show_import_error)

    def _show_import_error(self, error: Exception) -> None:
        self.failed.emit("Curves cannot be shown", as_digitpad_error(error))

    def _add_curves(self, plots: Any) -> None:
        """Put the axes into their cards, and show the curves so far."""
        if self.loss_curves is not None:
            return
        self.loss_curves = plots.TrainingCurves(self._theme, "loss_curves", logarithmic=True)
        self._accuracy_curves = plots.TrainingCurves(self._theme, "accuracy_curves", logarithmic=False)
        self._loss_room.addWidget(self.loss_curves, 1)
        self._accuracy_room.addWidget(self._accuracy_curves, 1)
        self.set_plan(*self._planned)
        self._draw_curves()
        self.curves_added.emit()

    # Layout.

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE + 2)
        tiles = QHBoxLayout()
        tiles.setSpacing(2 * SPACE)
        for tile in self._tiles.values():
            tile.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            tiles.addWidget(tile, 1)
        column.addLayout(tiles)
        self._progress.setFixedHeight(5)
        self._progress.setAccessibleName("Training progress")
        column.addWidget(self._progress)
        column.addWidget(self._build_loss(), 1)
        column.addWidget(self._build_views(), 1)
        column.addWidget(self._build_pinned())

    def _plot_card(self, name: str, heading: QWidget) -> tuple[QFrame, QVBoxLayout, QWidget]:
        """Build a card with a heading and a legend; return it with the layout for its content."""
        frame = make_card(name)
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        keys = QWidget()
        row = QHBoxLayout(keys)
        row.setContentsMargins(0, 0, 0, 0)
        for words, colour in (("training", "accent"), ("validation", "second")):
            row.addWidget(LegendEntry(self._theme, line_symbol(colour), words))
        top = QHBoxLayout()
        top.setSpacing(3 * SPACE)
        top.addWidget(heading, 1)
        top.addWidget(keys)
        column.addLayout(top)
        return frame, column, keys

    def _build_loss(self) -> QWidget:
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        self._loss_heading = make_label("Loss", "heading", "loss_heading")
        row.addWidget(self._loss_heading)
        explain(self._loss_heading, "overfitting")
        self._hint = make_label("", "caption", "training_hint")
        self._hint.setWordWrap(True)
        row.addWidget(self._hint, 1)
        frame, column, _ = self._plot_card("loss_card", heading)
        room, self._loss_room = _room()
        column.addWidget(room, 1)
        return frame

    def _build_views(self) -> QWidget:
        """Build the card below the loss: accuracy, first layer, or last batch."""
        self._views = SegmentedControl(("Accuracy", "First layer", "Batch"), "views", "View below the loss", pages=True)
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        row.addWidget(self._views)
        row.addWidget(TermButton("first-layer"))
        self._accuracy_name = ElidedLabel("heading", "accuracy_name")
        row.addWidget(self._accuracy_name, 1)
        frame, column, keys = self._plot_card("accuracy_card", heading)
        accuracy, self._accuracy_room = _room()
        self._weights_grid = ImageGrid(self._theme, "weights_grid", "Weights of the first layer", signed=True)
        self._batch_grid = ImageGrid(self._theme, "batch_grid", "Last training batch")
        self._pages = QStackedWidget()
        for page in (accuracy, self._weights_grid, self._batch_grid):
            self._pages.addWidget(page)
        self._views.chosen.connect(self._pages.setCurrentIndex)
        self._views.chosen.connect(lambda place: keys.setVisible(place == 0))
        column.addWidget(self._pages, 1)
        return frame

    def _build_pinned(self) -> QWidget:
        frame = make_card("pinned_card")
        frame.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(frame)
        row.setContentsMargins(4 * SPACE, 2 * SPACE, 4 * SPACE, 2 * SPACE)
        row.setSpacing(4 * SPACE)
        self._seen = PixelView(self._theme, 44)
        self._seen.setObjectName("pinned_seen")
        self._pinned_text = ReservedLabel("soft", "pinned_text", (_EMPTY_TEXT,))
        self.scrubber = Scrubber(self._theme)
        self.scrubber.moved.connect(self.draw_moment)
        self._pinned_answer = ReservedLabel("strong", "pinned_answer", ("0 · 100.0\N{NO-BREAK SPACE}%", "airplane"))
        self._use = named(QPushButton("Use network"), "use_button")
        self._use.setProperty("kind", "primary")
        self._use.setToolTip("Use the trained network in the Draw tab (Ctrl+U)")
        self._use.clicked.connect(self.use_requested)
        row.addWidget(self._seen)
        row.addWidget(self._pinned_text)
        row.addWidget(self.scrubber, 1)
        row.addWidget(self._pinned_answer)
        row.addWidget(self._use)
        self.pin(None)
        return frame

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.loss_curves is None:
            QTimer.singleShot(0, self, self._import_plots)  # once the tab has been painted
        self._draw_curves()


def _room() -> tuple[QWidget, QVBoxLayout]:
    """A placeholder of the same size as the curves that replace it."""
    room = QWidget()
    layout = QVBoxLayout(room)
    layout.setContentsMargins(0, 0, 0, 0)
    return room, layout


def _at(step: int) -> str:
    return f"Your digit at step {format_count(step)}"


def describe_change(change: SettingChange) -> str:
    """Describe a change of settings, for example ``learning rate 0.01, rotate 5``."""
    return ", ".join(
        f"{key.partition('.')[2].removesuffix('_deg').removesuffix('_px').replace('_', ' ')} {value:g}"
        for key, value in change.settings.items()
    )
