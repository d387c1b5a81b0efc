"""Adaptation of the network in use to My digits: live curves, the result side by side, and the networks kept so far."""

import os
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.errors import DigitpadError
from digitpad.gui.my_digits.accuracy_chart import AccuracyChart
from digitpad.gui.my_digits.drawing_grid import DrawingGrid
from digitpad.gui.my_digits.versions_table import VersionsTable
from digitpad.gui.my_digits.wording import NO_WRITER, drawings_of
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, make_card, make_label, named, set_kind
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.gui.widgets.term_button import TermButton
from digitpad.gui.widgets.text_size import scale_with_text, scaled
from digitpad.number_format import format_percent
from digitpad.training.adaptation.adapt import adapt, adaptation_problem
from digitpad.training.adaptation.records import AdaptationProgress, AdaptationResult
from digitpad.training.adaptation.versions import keep_version
from digitpad.weights.native_format import Weights

FEW = 20
"""Drawings below which more are recommended."""

MAX_THREADS = 4  # for the convolutions; more gain little, and the window needs a core too

_VERSIONS_PX = 330
_TEXT = (
    "Trains the network in use on your digits, together with MNIST and generated digits, so that it still reads other "
    "people's. A third of your digits is held out to measure the effect. Nothing changes until you keep the result."
)
_ANYONE = None


class AdaptView(QWidget):
    """Start, progress and result of an adaptation, beside the kept networks."""

    kept = Signal()  # the adapted network is in use and in a file

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._tasks = TaskRunner("adaptation", Policy.LATEST, self)
        self.result: AdaptationResult | None = None
        self._checked: tuple[Weights, str] | None = None  # a network, and why it cannot be adapted
        theme = session.theme
        self._network = ElidedLabel("strong", "adapted_network")
        self._about = make_label("", "soft", "adapt_about")
        self.whose = named(Choice(), "adapt_whose")
        self._start = named(QPushButton("Adapt"), "adapt_button")
        self._progress = named(QProgressBar(textVisible=False), "adapt_progress")
        self._stage = ElidedLabel("caption", "adapt_stage")
        self.own_chart = AccuracyChart(theme, "My held-out digits", "accent", "own_chart")
        self.mnist_chart = AccuracyChart(theme, "MNIST validation digits", "second", "mnist_chart")
        self._figures: dict[str, QLabel] = {}
        self._now = make_label("", "heading", "now_read_title")
        self._no_longer = make_label("", "heading", "no_longer_title")
        self.now_read = DrawingGrid(theme, "now_read")
        self.no_longer_read = DrawingGrid(theme, "no_longer_read")
        self._keep = named(QPushButton("Keep"), "keep_adapted")
        self._discard = named(QPushButton("Discard"), "discard_adapted")
        self._pages = QStackedWidget()
        self.versions = VersionsTable(session)
        self._build()
        self._connect()
        self._show_choice()
        self._set_running(False)

    @property
    def busy(self) -> bool:
        """Whether an adaptation is under way."""
        return self._tasks.busy

    def adapt_or_cancel(self) -> None:
        """Adapt the network in use; during an adaptation, cancel it."""
        if self.busy:
            self._tasks.cancel()
            self._set_running(False)
            self._stage.set_text("Cancelled; nothing has changed")
            self._session.say("Adaptation cancelled")
            return
        weights, digits = self._session.weights, self._chosen_digits()
        if self.problem(weights, digits):
            return
        self.result = None
        for chart, decimals in ((self.own_chart, 0), (self.mnist_chart, 2)):
            chart.clear(decimals)
        self._tasks.start(
            partial(adapt, weights, digits, min(os.cpu_count() or 1, MAX_THREADS)),
            progressed=self._show_progress,
            finished=self._show_result,
            failed=self._fail,
        )
        self._set_running(True)
        self._session.say("Adapting to my digits…")

    def problem(self, weights: Weights, digits: Sequence[OwnDigit]) -> str:
        """Return why a network cannot be adapted to drawings; empty if it can."""
        if self._checked is None or self._checked[0] is not weights:
            self._checked = weights, adaptation_problem(weights)
        if problem := self._checked[1]:
            return problem
        return "" if digits else "There are no labelled drawings yet: write some, or correct answers in the Draw tab."

    def keep(self) -> None:
        """Save the adapted network, and read with it from now on."""
        if self.result is None:
            return
        try:
            version = keep_version(self.result)
            weights = version.load()
        except DigitpadError as error:
            self._session.raise_error("The adapted network was not saved", error)
            return
        self.result = None
        self._session.use_network(weights, version.path)
        self._session.say("All tabs read with the adapted network", Lifetime.NETWORK)
        self._set_running(False)
        self._stage.set_text("Kept, and in use in all tabs")
        self.kept.emit()

    def discard(self) -> None:
        """Forget the adapted network."""
        self.result = None
        self._set_running(False)
        self._stage.set_text("Discarded; the network in use has not changed")
        self._session.say("Discarded the adapted network")

    # Showing.

    def _chosen_digits(self) -> tuple[OwnDigit, ...]:
        writer = self.whose.currentData()
        digits = self._session.corrections.digits
        return digits if writer is _ANYONE else tuple(digit for digit in digits if digit.writer == writer)

    def _show_choice(self) -> None:
        """Offer the writers, and say whether the network in use can be adapted."""
        digits = self._session.corrections.digits
        chosen = self.whose.currentData() if self.whose.count() else _ANYONE
        writers = sorted({digit.writer for digit in digits})
        self.whose.blockSignals(True)
        self.whose.clear()
        self.whose.addItem("All writers", _ANYONE)
        if len(writers) > 1:
            for name in writers:
                self.whose.addItem(name or NO_WRITER, name)
        self.whose.setCurrentIndex(max(0, self.whose.findData(chosen)))
        self.whose.blockSignals(False)
        self.whose.setEnabled(len(writers) > 1 and not self.busy)
        self._show_state()

    def _show_state(self) -> None:
        weights, digits = self._session.weights, self._chosen_digits()
        problem = self.problem(weights, digits)
        few = f" For a good result write at least {FEW}." if 0 < len(digits) < FEW else ""
        self._network.set_text(f"Adapt {weights.name} to {drawings_of(len(digits))}")
        self._about.setText(problem or _TEXT + few)
        self._start.setEnabled(self.busy or (not problem and self.result is None))

    def _show_progress(self, progress: AdaptationProgress) -> None:
        self._progress.setValue(round(1000 * progress.share))
        self._stage.set_text(f"{progress.stage}… {format_percent(progress.share, 0)}")
        if progress.own_accuracy is not None:
            self.own_chart.add(progress.training_share, progress.own_accuracy)
        if progress.mnist_accuracy is not None:
            self.mnist_chart.add(progress.training_share, progress.mnist_accuracy)

    def _show_result(self, result: AdaptationResult) -> None:
        self.result = result
        self._set_running(False)
        before, after = result.before, result.after
        own = f"My held-out digits ({before.n_own})"
        rows = {"own": (own, before.own_accuracy, after.own_accuracy, 1)}
        rows["mnist"] = ("MNIST test set", before.mnist_accuracy, after.mnist_accuracy, 2)
        for key, (name, old, new, decimals) in rows.items():
            texts = [name, *("–" if value is None else format_percent(value, decimals) for value in (old, new))]
            change = "" if old is None or new is None else _change(new - old, decimals)
            for column, text in zip(("name", "before", "after", "change"), (*texts, change), strict=True):
                self._figures[f"{key}_{column}"].setText(text)
        read_before = {digit.id: "?" for digit in result.no_longer_read}
        for title, grid, digits, words in (
            (self._now, self.now_read, result.now_read, "Now read correctly"),
            (self._no_longer, self.no_longer_read, result.no_longer_read, "No longer read correctly"),
        ):
            title.setText(f"{words}: {len(digits)}")
            grid.drawings_model.set_read_as(read_before)
            grid.set_drawings(digits)
            grid.setVisible(bool(digits))
        self._stage.set_text("Finished: keep the adapted network, or discard it")
        self._session.say("Adaptation finished: keep the network, or discard it")
        self._keep.setFocus()

    def _fail(self, error: Exception) -> None:
        self._set_running(False)
        self._stage.set_text("Not adapted")
        self._session.say("")
        self._session.raise_error("The network was not adapted", as_digitpad_error(error))

    def _set_running(self, running: bool) -> None:
        self._start.setText("Cancel" if running else "Adapt")
        set_kind(self._start, "" if running or self.result is not None else "primary")
        self._progress.setVisible(running)
        self._progress.setValue(0)
        self._pages.setCurrentIndex(1 if self.result is not None else 0)
        self.whose.setEnabled(not running and self.whose.count() > 1)
        self._show_state()

    # Layout.

    def _connect(self) -> None:
        self._start.clicked.connect(self.adapt_or_cancel)
        self._keep.clicked.connect(self.keep)
        self._discard.clicked.connect(self.discard)
        self.whose.edited.connect(self._show_state)
        self._session.corrections.digits_changed.connect(self._show_choice)
        self._session.network_changed.connect(lambda _: self._show_state())

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3 * SPACE)
        left = QVBoxLayout()
        left.setSpacing(3 * SPACE)
        left.addWidget(self._build_start())
        self._pages.addWidget(self._build_charts())
        self._pages.addWidget(self._build_result())
        left.addWidget(self._pages, 1)
        row.addLayout(left, 1)
        card = make_card("versions_card")
        scale_with_text(card, card.setFixedWidth, _VERSIONS_PX)
        column = QVBoxLayout(card)
        column.setContentsMargins(3 * SPACE, 3 * SPACE, 3 * SPACE, 3 * SPACE)
        column.addWidget(self.versions)
        row.addWidget(card)

    def _build_start(self) -> QWidget:
        card = make_card("adapt_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        self._about.setWordWrap(True)
        heading = QHBoxLayout()
        heading.addWidget(self._network, 1)
        heading.addWidget(TermButton("adaptation"))
        column.addLayout(heading)
        column.addWidget(self._about)
        line = QHBoxLayout()
        line.setSpacing(2 * SPACE)
        self.whose.setAccessibleName("Whose drawings")
        self._start.setToolTip("Train on my digits; takes about 20 seconds, and the window stays usable")
        line.addWidget(self._start)
        line.addWidget(self.whose)
        line.addWidget(self._stage, 1)
        column.addLayout(line)
        self._progress.setRange(0, 1000)
        self._progress.setFixedHeight(4)
        self._progress.setAccessibleName("Progress of the adaptation")
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._progress.setSizePolicy(policy)
        column.addWidget(self._progress)
        return card

    def _build_charts(self) -> QWidget:
        card = make_card("adapt_charts_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.own_chart, 1)
        column.addWidget(self.mnist_chart, 1)
        return card

    def _build_result(self) -> QWidget:
        card = make_card("adapt_result_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * SPACE)
        grid.setVerticalSpacing(SPACE)
        grid.setColumnStretch(0, 1)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for place, text in enumerate(("Before", "After", "Change"), 1):
            grid.addWidget(make_label(text, "heading"), 0, place, right)
        for line, key in enumerate(("own", "mnist"), 1):
            for place, name in enumerate(("name", "before", "after", "change")):
                role = {"before": "soft", "after": "strong"}.get(name, "")
                label = self._figures[f"{key}_{name}"] = make_label("", role, f"{key}_{name}")
                grid.addWidget(label, line, place, right if place else Qt.AlignmentFlag.AlignVCenter)
        column.addLayout(grid)
        for title, view in ((self._now, self.now_read), (self._no_longer, self.no_longer_read)):
            column.addWidget(title)
            view.setSelectionMode(view.SelectionMode.NoSelection)
            view.setAccessibleName(title.text() or view.objectName().replace("_", " "))
            column.addWidget(view, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * SPACE)
        self._keep.setProperty("kind", "primary")
        self._keep.setToolTip("Save the adapted network, and read with it in all tabs; you can roll back later")
        self._discard.setToolTip("Forget the adapted network; the network in use stays as it is")
        buttons.addStretch(1)
        buttons.addWidget(self._discard)
        buttons.addWidget(self._keep)
        column.addStretch(0)
        column.addLayout(buttons)
        return card

    # Qt overrides.

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(_VERSIONS_PX) + scaled(400), scaled(380))


def _change(difference: float, decimals: int) -> str:
    """Return a change of an accuracy in percentage points, with a sign."""
    points = round(100 * difference, decimals)
    sign = "+" if points > 0 else "−" if points < 0 else "±"
    return f"{sign}{abs(points):.{decimals}f} points"
