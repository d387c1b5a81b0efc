"""The Evaluate tab: how good weights are on images whose answers are known, and where they go wrong."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import DigitpadError, reason
from digitpad.evaluation.assessment import PARTS
from digitpad.evaluation.csv_tables import class_table, robustness_table
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.evaluation.parallel_predictor import features_of
from digitpad.evaluation.robustness import N_SAMPLE, Robustness
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.evaluate.diagram_view import DiagramView
from digitpad.gui.evaluate.digit_browser import DigitBrowser
from digitpad.gui.evaluate.evaluate_overview import ResultsSummary
from digitpad.gui.evaluate.evaluation_task import EvaluationResult, Opener, evaluation, robustness_of
from digitpad.gui.evaluate.map_view import MapView
from digitpad.gui.evaluate.sample_view import SampleView
from digitpad.gui.evaluate.weights_choice import IN_USE, NONE, WeightsChoice
from digitpad.gui.tasks.latest_work import LatestWork, Work
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.tasks.worker import Worker
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, format_count, format_percent, make_card, make_label, named
from digitpad.gui.widgets.segmented_control import SegmentedControl
from digitpad.gui.widgets.theme import Theme
from digitpad.nn.network import Network
from digitpad.recognition.recognizer import Prediction
from digitpad.system.atomic_write import write_atomically
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.plotting.evaluation_plots import Draw

PROGRESS_MS = 50
MAX_THREADS = 4  # more gain little, and the window and other programs want cores as well

OVERVIEW, IMAGES, SAMPLE, DIAGRAMS, MAP = range(5)
_PAGES = ("Overview", "Images", "Sample", "Diagrams", "Map")
_DIAGRAMS = ("reliability", "threshold", "robustness")
_ABOUT_DIAGRAMS = (
    "Of answers given with 90 %, nine in ten should be right: on the line.",
    "What other bounds would give; the dashed line is the weights' own.",
    f"{format_count(N_SAMPLE)} images turned, moved, resized and otherwise changed.",
)
_PICTURES = ("reliability", "threshold", "robustness", "confusion", "map")
_TABLES = ("classes", "confusion", "digits", "robustness")
_NAMES = {
    "reliability": "Reliability diagram",
    "threshold": "Accuracy against “not sure”",
    "robustness": "Robustness",
    "confusion": "Confusion matrix",
    "map": "Map",
    "classes": "Classes",
    "digits": "Every reading",
}


@dataclass(frozen=True)
class Export:
    """A file to be written: what to ask the user, and what to do with the answer."""

    title: str
    kinds: str
    suffix: str
    name: str
    write: Callable[[Path], None]


class EvaluateTab(QWidget):
    """Choose weights and data, evaluate, and look into what comes of it."""

    message = Signal(str)  # for the status line
    failed = Signal(str, str)  # what came to nothing, and why
    put_requested = Signal(object)  # an image's pixels, uint8 of shape (28, 28), to be put on the pad
    export_requested = Signal(object)  # Export

    def __init__(self, theme: Theme, weights: Weights, open_weights: Opener, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluate_tab")
        self._weights = weights
        self._open_weights = open_weights
        self.outcome: EvaluationResult | None = None
        self.robust: tuple[Robustness, ...] = ()
        self._pinned: Prediction | None = None
        self._network: Network | None = None  # of what was evaluated first, for the pad's place on the map
        self._n_threads = min(os.cpu_count() or 1, MAX_THREADS)
        self._working = LatestWork("evaluation", self)
        self._saving = Worker("exports", self)
        self._data = DatasetLoader(BUILT_IN)
        self._done: Callable[[Any], None] = self._show_outcome  # what is to be done with what it comes to
        self._problem = ""  # what is to be said if it comes to nothing
        self._progressed = EvaluationProgress(0, 1)
        self._showing_progress = Throttle(self._show_progress, PROGRESS_MS, self)
        self.weights_choice = named(WeightsChoice(), "evaluated_weights")
        self.other_choice = named(WeightsChoice("Nothing"), "compared_weights")
        self.data_choice = named(DatasetChoice(), "evaluated_data")
        self.part_choice = SegmentedControl(("Test", "Validation"), "part", "Part of the data")
        self.pages_choice = SegmentedControl(_PAGES, "evaluate_page", "What to look at")
        self._main = named(QPushButton("Evaluate"), "evaluate_button")
        self._export = named(QPushButton("Export"), "export_button")
        self._progress = named(QProgressBar(textVisible=False), "evaluate_progress")
        self._said = ElidedLabel("caption", "evaluated")
        self.overview = ResultsSummary(theme)
        self.browser = DigitBrowser(theme)
        self.sample = SampleView(theme, np.random.default_rng())
        self.diagram_choice = SegmentedControl(("Reliability", "Not sure", "Robustness"), "diagram", "Diagram")
        self.diagram = DiagramView(theme, "diagram_view")
        self._about_diagram = ElidedLabel("soft", "about_diagram")
        self._change = named(QPushButton("Change the images"), "robustness_button")
        self.map = MapView(theme)
        self._about_map = ElidedLabel("soft", "about_map")
        self._pages = QStackedWidget()
        self._build()
        self._connect()
        self.set_weights(weights)
        self._show_page(OVERVIEW)
        self._set_running(False)

    @property
    def busy(self) -> bool:
        """Whether it evaluates, or changes digits."""
        return self._working.busy

    def set_weights(self, weights: Weights) -> None:
        """The weights in use are these now; what was evaluated stays until it is evaluated anew."""
        if weights.class_names != self._weights.class_names:
            self.data_choice.follow(weights)
        self._weights = weights
        for choice in (self.weights_choice, self.other_choice):
            choice.set_in_use(weights.name)

    def offer_weights(self, path: Path) -> None:
        """Let weights be chosen that were loaded or saved elsewhere in the window."""
        for choice in (self.weights_choice, self.other_choice):
            choice.offer_file(path)

    def pin(self, prediction: Prediction | None) -> None:
        """The drawing on the pad, which the map shows among the images; None for an empty pad."""
        self._pinned = prediction
        if self._pages.currentIndex() == MAP:
            self._place_pad()

    def evaluate_or_stop(self) -> None:
        """Evaluate what is chosen; while it does, stop."""
        if self.busy:
            self._data.give_up()
            self._working.cancel()
            self._set_running(False)
            self.message.emit("Stopped")
            return
        chosen = [self._chosen(self.weights_choice)]
        if self.other_choice.value() != NONE:
            chosen.append(self._chosen(self.other_choice))
        # Read anew each time, as a file may have become another one.
        self._data = DatasetLoader(self.data_choice.value())
        part = PARTS[self.part_choice.current]
        work = partial(evaluation, chosen, self._open_weights, self._data, part, self._n_threads)
        self._run(work, self._show_outcome, "Nothing could be evaluated")
        self.message.emit("Evaluating…")

    def change_digits(self) -> None:
        """Read changed images, for the robustness curves."""
        if self.outcome is not None and not self.busy:
            work = partial(robustness_of, self.outcome.made, self._n_threads)
            self._run(work, self._show_robustness, "Nothing was changed")

    def shut_down(self) -> None:
        """Stop what is under way, and wait for its threads."""
        self.data_choice.shut_down()
        self._data.give_up()
        self._working.shut_down()
        self.diagram.shut_down()
        self._saving.close()
        self._set_running(False)

    def show_page(self, place: int) -> None:
        """Show one of the pages."""
        self.pages_choice.choose(place)

    # Work.

    def _chosen(self, choice: WeightsChoice) -> Weights | Path:
        value = choice.value()
        return self._weights if value == IN_USE else Path(value)

    def _run(self, work: Work, done: Callable[[Any], None], problem: str) -> None:
        self._done, self._problem, self._progressed = done, problem, EvaluationProgress(0, 1)
        self._working.start(work)
        self._show_progress()
        self._set_running(True)

    def _keep_progress(self, progress: EvaluationProgress) -> None:
        self._progressed = progress
        self._showing_progress.request()

    def _show_progress(self) -> None:
        if self.busy:  # else it is over, or stopped
            self._progress.setRange(0, self._progressed.total)
            self._progress.setValue(self._progressed.done)

    def _finished(self, result: Any) -> None:
        self._set_running(False)
        self._done(result)

    def _failed(self, why: str) -> None:
        self._set_running(False)
        self.message.emit("")
        self.failed.emit(self._problem, why)

    def _set_running(self, running: bool) -> None:
        self._main.setText("Stop" if running else "Evaluate")
        self._change.setEnabled(not running and self.outcome is not None)
        self._export.setEnabled(not running and self.outcome is not None)
        if not running:
            self._progress.setRange(0, 100)
            self._progress.setValue(0)

    def _show_outcome(self, outcome: EvaluationResult) -> None:
        self.outcome, self.robust = outcome, ()
        first, *others = outcome.made
        self._network = first.weights.network()
        self._said.set_text(outcome.name)
        self.overview.set_outcome(outcome)
        self.browser.set_assessment(first, others[0] if others else None, outcome.sheet)
        self.sample.set_assessment(first, outcome.sheet)
        self.map.set_map(outcome.places, first, outcome.sheet)
        shares = [format_percent(share, 0) for share in outcome.places.explained]
        n_shown = format_count(len(outcome.places.points))
        self._about_map.set_text(
            f"{n_shown} {first.images} as the last hidden layer has them, along the two directions in which it varies "
            f"most ({shares[0]} and {shares[1]}). Wheel, + and − zoom, 0 shows all."
        )
        self._place_pad()
        self._set_running(False)
        self._show_diagram()
        self._show_page(self.pages_choice.current)
        self.message.emit(f"Evaluated {outcome.name}")

    def _show_robustness(self, robust: tuple[Robustness, ...]) -> None:
        self.robust = robust
        self._show_diagram()
        self.message.emit("Robustness is known now")

    # Showing.

    def _show_page(self, place: int) -> None:
        """Show a page, or, before there is anything to see, what Evaluate does."""
        self._pages.setCurrentIndex(place if self.outcome is not None else len(_PAGES))
        if place == MAP:
            self._place_pad()

    def _show_diagram(self) -> None:
        outcome, place = self.outcome, self.diagram_choice.current
        name = _DIAGRAMS[place]
        self._about_diagram.set_text(_ABOUT_DIAGRAMS[place])
        missing = name == "robustness" and not self.robust
        self._change.setVisible(missing)
        if outcome is None:
            return
        if missing:
            self.diagram.set_words(
                "Press “Change the images” to read them turned, moved, resized, with other strokes and with noise.\n"
                "It takes several times as long as evaluating does, and can be stopped."
            )
        else:
            self.diagram.set_diagram(self._drawer(name), _NAMES[name])

    def _drawer(self, name: str) -> "Callable[[], Draw]":
        """What gives the function that draws a diagram, for a thread to call."""
        assert self.outcome is not None
        made, robust = self.outcome.made, self.robust

        def make() -> "Draw":
            from digitpad.plotting.evaluation_plots import diagram

            return diagram(name, made, robust)

        return make

    def _open_cell(self, is_digit: int, read_as: int) -> None:
        self.browser.show_cell(is_digit, read_as)
        self.show_page(IMAGES)
        self.browser.view.setFocus()

    def _open_digit(self, place: int) -> None:
        self.browser.show_digit(place)
        self.show_page(IMAGES)
        self.browser.view.setFocus()

    def _put(self, place: int) -> None:
        if self.outcome is not None:
            self.put_requested.emit(self.outcome.made[0].digits.images[place])

    def _place_pad(self) -> None:
        if self._network is None or self.outcome is None or self._pinned is None:
            self.map.set_pad(None)
            return
        (x, y), *_ = self.outcome.places.place(features_of(self._network, self._pinned.image[None])).tolist()
        self.map.set_pad((x, y))

    # Files.

    def _fill_export(self, menu: QMenu) -> None:
        menu.clear()
        for name in _TABLES:
            action = menu.addAction(f"{_NAMES[name]} as CSV…")
            action.setEnabled(name != "robustness" or bool(self.robust))
            action.triggered.connect(partial(self._ask_table, name))
        menu.addSeparator()
        for name in _PICTURES:
            action = menu.addAction(f"{_NAMES[name]} as PNG or SVG…")
            action.setEnabled(name != "robustness" or bool(self.robust))
            action.triggered.connect(partial(self._ask_picture, name))

    def _ask_table(self, name: str, _checked: bool = False) -> None:
        write = partial(self._write, self._table(name))
        self.export_requested.emit(
            Export(f"Save {_NAMES[name].lower()} as a table", "Table (*.csv)", "csv", f"{name}.csv", write)
        )

    def _ask_picture(self, name: str, _checked: bool = False) -> None:
        def write(path: Path) -> None:
            self._write(self._picture(name, "svg" if path.suffix.lower() == ".svg" else "png"), path)

        kinds = "Pictures (*.png *.svg)"
        self.export_requested.emit(
            Export(f"Save {_NAMES[name].lower()} as a picture", kinds, "png", f"{name}.png", write)
        )

    def _table(self, name: str) -> Callable[[], bytes]:
        assert self.outcome is not None
        made, robust = self.outcome.made[0], self.robust
        return lambda: (robustness_table(robust[0]) if name == "robustness" else class_table(made, name)).encode()

    def _picture(self, name: str, kind: str) -> Callable[[], bytes]:
        assert self.outcome is not None
        make, title = self._drawer(name), self.outcome.name

        def content() -> bytes:
            from digitpad.plotting.figure_files import evaluation_figure

            return evaluation_figure(make(), title, kind)

        return content

    def _write(self, content: Callable[[], bytes], path: Path) -> None:
        """Make a file's content and write it, in a thread."""

        def work() -> None:
            try:
                write_atomically(path, content())
            except OSError as error:
                raise DigitpadError(f"{path.name} cannot be written ({reason(error)})") from error

        self._saving.do(
            str(path),
            work,
            lambda _: self.message.emit(f"Saved {path.name}"),
            lambda error: self.failed.emit("The file was not saved", str(error)),
        )

    # Layout.

    def _connect(self) -> None:
        self._working.progressed.connect(self._keep_progress)
        self._working.finished.connect(self._finished)
        self._working.failed.connect(self._failed)
        self._main.clicked.connect(self.evaluate_or_stop)
        self._change.clicked.connect(self.change_digits)
        self.pages_choice.chosen.connect(self._show_page)
        self.diagram_choice.chosen.connect(lambda _: self._show_diagram())
        self.overview.cell_opened.connect(self._open_cell)
        self.sample.grid.opened.connect(self._open_digit)
        self.map.opened.connect(self._open_digit)
        self.browser.put_requested.connect(self._put)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 5 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addLayout(self._build_choices())
        self._progress.setFixedHeight(3)
        self._progress.setAccessibleName("Progress")
        column.addWidget(self._progress)
        row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        row.addWidget(self.pages_choice)
        self._said.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._said, 1)
        menu = QMenu(self._export)
        menu.aboutToShow.connect(lambda: self._fill_export(menu))
        self._fill_export(menu)
        self._export.setMenu(menu)
        self._export.setToolTip("Tables as CSV, pictures as PNG or SVG")
        row.addWidget(self._export)
        column.addLayout(row)
        for page in (self.overview, self.browser, self.sample, self._build_diagrams(), self._build_map()):
            self._pages.addWidget(page)
        self._pages.addWidget(self._build_empty())
        column.addWidget(self._pages, 1)

    def _build_choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        for title, widget, tip in (
            ("Weights", self.weights_choice, "What is evaluated"),
            (
                "Beside",
                self.other_choice,
                "Other weights on the same images, and whether the difference could be chance",
            ),
            ("Data", self.data_choice, "Images whose answers are known"),
        ):
            widget.setAccessibleName(title)
            widget.setToolTip(tip)
            widget.setMinimumWidth(130)
            row.addWidget(make_label(title, "soft"))
            row.addWidget(widget, 1)
        self.part_choice.setToolTip("The test part is for the last word; by the validation part, choices are made")
        row.addWidget(self.part_choice)
        self._main.setProperty("kind", "primary")
        self._main.setToolTip("Read every image, and count (Ctrl+E)")
        self._main.setMinimumWidth(104)
        row.addWidget(self._main)
        return row

    def _build_empty(self) -> QWidget:
        frame = make_card("evaluate_empty")
        column = QVBoxLayout(frame)
        column.addStretch(1)
        for text, role in (
            ("How good is it?", "figure"),
            ("Evaluate reads images that it was not trained on, and counts: of MNIST, ten thousand digits.", "soft"),
            ("Then: each class, every mistake, how honest its probabilities are, and a map of what it sees.", "soft"),
        ):
            line = make_label(text, role)
            line.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(line)
        column.addStretch(1)
        return frame

    def _build_diagrams(self) -> QWidget:
        frame = make_card("diagrams_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 2 * SPACE)
        column.setSpacing(2 * SPACE)
        row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        row.addWidget(self.diagram_choice)
        row.addWidget(self._about_diagram, 1)
        row.addWidget(self._change)
        column.addLayout(row)
        column.addWidget(self.diagram, 1)
        return frame

    def _build_map(self) -> QWidget:
        frame = make_card("map_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(self._about_map)
        column.addWidget(self.map, 1)
        return frame

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place_pad()
