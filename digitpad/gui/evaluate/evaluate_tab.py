"""The Evaluate tab: accuracy of a network on labelled images, and its mistakes."""

# Longer than 400 lines: it connects five pages of results with their choices.

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.dataset import BUILT_IN
from digitpad.evaluation.assessment import PARTS
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.evaluation.parallel_predictor import features_of
from digitpad.evaluation.robustness import N_SAMPLE, Robustness
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.evaluate.diagram_view import DiagramView
from digitpad.gui.evaluate.digit_browser import DigitBrowser
from digitpad.gui.evaluate.evaluate_overview import ResultsSummary
from digitpad.gui.evaluate.evaluation_task import EvaluationResult, Opener, evaluation, robustness_of
from digitpad.gui.evaluate.export_button import FIGURE_NAMES, ExportButton, drawer
from digitpad.gui.evaluate.map_view import MapView
from digitpad.gui.evaluate.sample_view import SampleView
from digitpad.gui.evaluate.weights_choice import IN_USE, NONE, WeightsChoice
from digitpad.gui.importing.import_preferences import ImportPreferences
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, Work, as_digitpad_error
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, keep_width, make_card, make_label, named
from digitpad.gui.widgets.segmented_control import SegmentedControl
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.ink.drawing import Drawing
from digitpad.nn.network import Network
from digitpad.number_format import format_count, format_percent
from digitpad.weights.native_format import Weights

PROGRESS_MS = 50
MAX_THREADS = 4  # more gain little, and the window and other programs need cores too

OVERVIEW, IMAGES, SAMPLE, DIAGRAMS, MAP = range(5)
_PAGES = ("Overview", "Images", "Sample", "Diagrams", "Map")
_DIAGRAMS = ("reliability", "threshold", "robustness")
_ABOUT_DIAGRAMS = (
    "On the line, confidence equals accuracy: of predictions with 90 % confidence, nine in ten are right.",
    "Effect of other thresholds; the dashed line is the network's own.",
    f"{format_count(N_SAMPLE)} images rotated, shifted, scaled and otherwise distorted.",
)


class EvaluateTab(TabPage):
    """Tab to choose a network and a dataset, evaluate, and inspect the results."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evaluate_tab")
        self._session = session
        theme = session.theme
        self._preferences = ImportPreferences(session.preferences)
        self._class_names: tuple[str, ...] = ()
        self.outcome: EvaluationResult | None = None
        self.robust: tuple[Robustness, ...] = ()
        self._network: Network | None = None  # the first one evaluated, for the pad's place on the map
        self._n_threads = min(os.cpu_count() or 1, MAX_THREADS)
        self._evaluating = TaskRunner("evaluation", Policy.LATEST, self)
        self._data = DatasetLoader(BUILT_IN)
        self._progressed = EvaluationProgress(0, 1)
        self._showing_progress = Throttle(self._show_progress, PROGRESS_MS, self)
        self.weights_choice = named(WeightsChoice(), "evaluated_weights")
        self.other_choice = named(WeightsChoice("Nothing"), "compared_weights")
        self.data_choice = named(DatasetChoice(), "evaluated_data")
        self.part_choice = SegmentedControl(("Test", "Validation", "All"), "part", "Dataset part", tight=True)
        self.pages_choice = SegmentedControl(_PAGES, "evaluate_page", "Results page", pages=True)
        self._main = named(QPushButton("Evaluate"), "evaluate_button")
        self.export = ExportButton(session, self)
        self._progress = named(QProgressBar(textVisible=False), "evaluate_progress")
        self._said = ElidedLabel("caption", "evaluated")
        self.overview = ResultsSummary(theme)
        self.browser = DigitBrowser(theme)
        self.sample = SampleView(theme, np.random.default_rng())
        self.diagram_choice = SegmentedControl(
            ("Reliability", "Not sure", "Robustness"), "diagram", "Diagram", pages=True
        )
        self.diagram = DiagramView(theme, "diagram_view")
        self._about_diagram = ElidedLabel("soft", "about_diagram")
        self._change = named(QPushButton("Run robustness test"), "robustness_button")
        self.map = MapView(theme)
        self._about_map = ElidedLabel("soft", "about_map")
        self._pages = QStackedWidget()
        self._build()
        self._connect()
        self._show_network(session.weights)
        self._show_page(OVERVIEW)
        self._set_running(False)

    @property
    def busy(self) -> bool:
        """Whether an evaluation or a robustness test is under way."""
        return self._evaluating.busy

    def _show_network(self, weights: Weights) -> None:
        """List another network in use; results stay until the next evaluation."""
        if weights.class_names != self._class_names:
            self.data_choice.follow(weights)
        self._class_names = weights.class_names
        for choice in (self.weights_choice, self.other_choice):
            choice.set_in_use(weights.name)

    def _offer_network(self, path: Path) -> None:
        """List a network that was opened or saved elsewhere in the window."""
        for choice in (self.weights_choice, self.other_choice):
            choice.offer_file(path)

    def _follow_runs(self) -> None:
        """Update the lists after runs were renamed or moved to the trash."""
        for choice in (self.weights_choice, self.other_choice):
            choice.set_in_use(self._session.weights.name)
            choice.follow_runs()

    def evaluate_or_stop(self) -> None:
        """Evaluate the chosen networks; during an evaluation, stop it."""
        if self.busy:
            self._data.give_up()
            self._evaluating.cancel()
            self._set_running(False)
            self._session.say("Evaluation stopped")
            return
        chosen = [self._chosen(self.weights_choice)]
        if self.other_choice.value() != NONE:
            chosen.append(self._chosen(self.other_choice))
        # Read again each time, as the file may have changed.
        self._data = DatasetLoader(self.data_choice.value())
        part = PARTS[self.part_choice.current]
        work = partial(evaluation, chosen, self._opener(), self._data, part, self._n_threads)
        self._run(work, self._show_outcome, "The evaluation failed")
        self._session.say("Evaluating…")

    def _opener(self) -> Opener:
        """Return a function for the task that opens a network and names it as the lists do."""
        names = {choice.value(): choice.chosen_name() for choice in (self.weights_choice, self.other_choice)}

        def open_network(path: Path, data: DatasetLoader) -> Weights:
            return replace(self._preferences.weights(path, data), name=names[str(path)])

        return open_network

    def test_robustness(self) -> None:
        """Run the robustness test."""
        if self.outcome is not None and not self.busy:
            work = partial(robustness_of, self.outcome.assessments, self._n_threads)
            self._run(work, self._show_robustness, "The robustness test failed")

    def _evaluate_on(self, source: str) -> None:
        self.data_choice.open_set(source)
        self._session.say(f"Dataset: {Path(source).name}")

    def saved_state(self) -> dict[str, Any]:
        """Return the dataset."""
        return {"data": self.data_choice.value()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Choose the dataset of the last session, if it is still there."""
        self.data_choice.restore(state.get("data"))

    def shut_down(self) -> None:
        """End all tasks, and cancel loading a dataset."""
        self._data.give_up()
        self.data_choice.close_download()
        super().shut_down()

    def show_page(self, place: int) -> None:
        """Show one of the pages."""
        self.pages_choice.choose(place)

    # Work.

    def _chosen(self, choice: WeightsChoice) -> Weights | Path:
        value = choice.value()
        return self._session.weights if value == IN_USE else Path(value)

    def _run(self, work: Work, show: Callable[[Any], None], problem: str) -> None:
        self._progressed = EvaluationProgress(0, 1)
        self._evaluating.start(
            work,
            progressed=self._keep_progress,
            finished=partial(self._finish, show),
            failed=partial(self._fail, problem),
        )
        self._show_progress()
        self._set_running(True)

    def _keep_progress(self, progress: EvaluationProgress) -> None:
        self._progressed = progress
        self._showing_progress.request()

    def _show_progress(self) -> None:
        if self.busy:  # otherwise it has ended
            self._progress.setRange(0, self._progressed.total)
            self._progress.setValue(self._progressed.done)

    def _finish(self, show: Callable[[Any], None], result: Any) -> None:
        self._set_running(False)
        show(result)

    def _fail(self, problem: str, error: Exception) -> None:
        self._set_running(False)
        self._session.say("")
        self._session.raise_error(problem, as_digitpad_error(error))

    def _set_running(self, running: bool) -> None:
        self._session.set_evaluating(running)
        self._main.setText("Stop" if running else "Evaluate")
        self._change.setEnabled(not running and self.outcome is not None)
        self.export.setEnabled(not running and self.outcome is not None)
        if not running:
            self._progress.setRange(0, 100)
            self._progress.setValue(0)

    def _show_outcome(self, outcome: EvaluationResult) -> None:
        self.outcome, self.robust = outcome, ()
        self.export.set_result(outcome, ())
        first, *others = outcome.assessments
        self._network = first.weights.network()
        self._said.set_text(outcome.name)
        self.overview.set_outcome(outcome)
        self.browser.set_assessment(first, others[0] if others else None, outcome.atlas)
        self.sample.set_assessment(first, outcome.atlas)
        self.map.set_map(outcome.feature_map, first, outcome.atlas)
        shares = [format_percent(share, 0) for share in outcome.feature_map.explained]
        n_shown = format_count(len(outcome.feature_map.points))
        self._about_map.set_text(
            f"{n_shown} {first.images} in the last hidden layer, along its two directions of most variance "
            f"({shares[0]} and {shares[1]}). The wheel, + and − zoom; 0 shows all."
        )
        self._place_pad()
        self._set_running(False)
        self._show_diagram()
        self._show_page(self.pages_choice.current)
        self._session.say(f"Evaluated {outcome.name}")

    def _show_robustness(self, robust: tuple[Robustness, ...]) -> None:
        self.robust = robust
        assert self.outcome is not None
        self.export.set_result(self.outcome, robust)
        self._show_diagram()
        self._session.say("Robustness test finished")

    # Showing.

    def _show_page(self, place: int) -> None:
        """Show a page; before the first evaluation, show a hint instead."""
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
                "Press “Run robustness test” to read the images rotated, shifted, scaled, with other strokes "
                "and with noise.\n"
                "It takes several times as long as an evaluation, and can be stopped."
            )
        else:
            self.diagram.set_diagram(
                drawer(outcome, self.robust, name), FIGURE_NAMES[name], self._describe_diagram(outcome, name)
            )

    def _describe_diagram(self, outcome: EvaluationResult, name: str) -> str:
        """Return the main values of a diagram as text."""
        texts = []
        for assessment, robust in zip_longest(outcome.assessments, self.robust):
            curve = assessment.rejection_curve
            match name:
                case "reliability":
                    text = f"calibration error {format_percent(assessment.reliability.error, 2)}"
                case "threshold":
                    text = (
                        f"{format_percent(curve.not_sure_at_threshold, 2)} not sure at the network's own threshold, "
                        f"accuracy when sure {format_percent(curve.accuracy_at_threshold, 2)}"
                    )
                case _:
                    text = ", ".join(
                        f"{curve.name} {curve.amounts[-1]:g} {curve.unit}: {format_percent(float(curve.accuracy[-1]))}"
                        for curve in robust.curves
                    )
            texts.append(f"{assessment.weights.name}: {text}")
        return "; ".join(texts)

    def open_cell(self, is_digit: int, read_as: int) -> None:
        """Show the images of a cell of the confusion matrix; -1 stands for any class."""
        self.browser.show_cell(is_digit, read_as)
        self.show_page(IMAGES)
        self.browser.view.setFocus()

    def _open_digit(self, place: int) -> None:
        self.browser.show_digit(place)
        self.show_page(IMAGES)
        self.browser.view.setFocus()

    def put_on_pad(self, place: int) -> None:
        """Open an image in the Draw tab."""
        if self.outcome is not None:
            pixels = self.outcome.assessments[0].digits.images[place]
            if pixels.any():
                self._session.show_page("Draw")
                self._session.put_drawing(Drawing.from_sample(pixels), "Put image on pad")
            else:
                self._session.say("This image has no ink")

    def _follow_drawing(self) -> None:
        if self._pages.currentIndex() == MAP:
            self._place_pad()

    def _place_pad(self) -> None:
        prediction = self._session.prediction
        if self._network is None or self.outcome is None or prediction is None:
            self.map.set_pad(None)
            return
        (x, y), *_ = self.outcome.feature_map.place(features_of(self._network, prediction.image[None])).tolist()
        self.map.set_pad((x, y))

    # Layout.

    def _connect(self) -> None:
        session = self._session
        self.data_choice.share(session)
        for path in session.network_files():
            self._offer_network(path)
        session.runs_changed.connect(self._follow_runs)
        session.network_changed.connect(self._show_network)
        session.network_file_used.connect(self._offer_network)
        session.drawing_settled.connect(self._follow_drawing)
        session.reading_changed.connect(self._follow_drawing)
        session.evaluation_data_requested.connect(self._evaluate_on)
        self._main.clicked.connect(self.evaluate_or_stop)
        self._change.clicked.connect(self.test_robustness)
        self.pages_choice.chosen.connect(self._show_page)
        self.diagram_choice.chosen.connect(lambda _: self._show_diagram())
        self.overview.cell_opened.connect(self.open_cell)
        self.sample.grid.opened.connect(self._open_digit)
        self.map.opened.connect(self._open_digit)
        self.browser.put_requested.connect(self.put_on_pad)

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
        column.addLayout(row)
        for page in (self.overview, self.browser, self.sample, self._build_diagrams(), self._build_map()):
            self._pages.addWidget(page)
        self._pages.addWidget(self._build_empty())
        column.addWidget(self._pages, 1)

    def _build_choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        for title, widget, tip in (
            ("Network", self.weights_choice, "The network to evaluate"),
            (
                "Compare with",
                self.other_choice,
                "A second network on the same images, and whether the difference is significant",
            ),
            ("Dataset", self.data_choice, "Images with known digits"),
        ):
            widget.setAccessibleName(title)
            widget.setToolTip(tip)
            widget.setMinimumContentsLength(4)  # their texts are elided, but their lists show the full texts
            widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            row.addWidget(make_label(title, "soft"))
            row.addWidget(widget, 1)
        self.part_choice.setToolTip(
            "Use the validation part to make choices, and the test part for the final score. All is for small datasets "
            "that the network was not trained on."
        )
        row.addWidget(self.part_choice)
        self._main.setProperty("kind", "primary")
        self._main.setToolTip("Read every image and count the right predictions (Ctrl+E)")
        keep_width(self._main)
        row.addWidget(self._main)
        row.addWidget(self.export)
        return row

    def _build_empty(self) -> QWidget:
        frame = make_card("evaluate_empty")
        column = QVBoxLayout(frame)
        column.addStretch(1)
        for text, role in (
            ("Evaluate a network", "figure"),
            ("Evaluate reads images that the network was not trained on: 10,000 digits of MNIST.", "soft"),
            (
                "The results are scores per class, all mistakes, the calibration, robustness, and a feature map.",
                "soft",
            ),
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

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place_pad()
