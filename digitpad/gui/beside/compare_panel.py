"""A second network that reads the same drawing, with its own bars."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QBoxLayout, QComboBox, QFrame, QHBoxLayout, QVBoxLayout

from digitpad import assets
from digitpad.gui.canvas.probability_bars import ProbabilityBars
from digitpad.gui.evaluate.weights_choice import IN_USE, WeightsChoice
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error, end_tasks
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, link, make_label, named
from digitpad.gui.widgets.text_size import scaled
from digitpad.number_format import format_percent
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.runs.network_names import network_name
from digitpad.weights.native_format import Weights, is_own, load_weights

FRAME_MS = 30
DENSE = assets.MODEL / "dense.npz"

_SIDE_PX, _BOTTOM_PX = 310, 230


class ComparePanel(QFrame):
    """Shows the reading of the network in use, and that of a second one.

    Parameters
    ----------
    session : Session
    """

    left = Signal()  # the user closes the panel

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("compare_panel")
        self.setProperty("card", True)
        self._session = session
        self._opening = TaskRunner("compared network", Policy.LATEST, self)
        self.other: Recognizer | None = None
        self.choice = named(WeightsChoice(), "compared_with")
        self.bars = (ProbabilityBars(session.theme), ProbabilityBars(session.theme))
        self._names = (ElidedLabel("heading", "compare_first"), ElidedLabel("heading", "compare_second"))
        self._verdict = make_label("", "soft", "compare_verdict")
        self._build()
        self._reading = Throttle(self.read, FRAME_MS, self)
        for signal in (session.drawing_changed, session.reading_changed):
            signal.connect(self._reading.request)
        session.network_changed.connect(self._follow)
        self.choice.currentIndexChanged.connect(self._open)
        self.choice.removeItem(self.choice.findData(IN_USE))
        self.choice.offer_file(DENSE)
        for path in session.network_files():
            self.choice.offer_file(path)
        self.choice.setCurrentIndex(self.choice.findData(str(DENSE)))
        self._follow(session.weights)
        self._open()

    def stand(self, *, at_side: bool) -> None:
        """Put the two sets of bars below each other, or side by side."""
        direction = QBoxLayout.Direction
        self._pair.setDirection(direction.TopToBottom if at_side else direction.LeftToRight)
        self.setMinimumSize(0, 0)
        self.setMaximumSize(16_777_215, 16_777_215)
        if at_side:
            self.setFixedWidth(scaled(_SIDE_PX))
        else:
            self.setFixedHeight(scaled(_BOTTOM_PX))

    def shut_down(self) -> None:
        """End the task that opens a network."""
        end_tasks(self)

    def read(self) -> None:
        """Read the drawing with both networks."""
        first = self._session.prediction
        second = None if self.other is None else self.other.read(self._session.selected_drawing)
        for bars, prediction in zip(self.bars, (first, second), strict=True):
            if prediction is None:
                bars.set_probabilities(None)
            else:
                bars.set_probabilities(prediction.probabilities, sure=prediction.sure)
        self._verdict.setText(_verdict(first, second))

    def _follow(self, weights: Weights) -> None:
        self.bars[0].set_classes(weights.class_names)
        self._names[0].set_text(weights.name)
        self.read()

    def _open(self) -> None:
        path = Path(self.choice.value())

        def work() -> Generator[None, None, Weights]:
            yield None
            if is_own(path):
                return load_weights(path)
            from digitpad.importers.open_file import open_weights

            return open_weights(path)

        self._opening.start(work, finished=self._show_other, failed=self._fail)

    def _show_other(self, weights: Weights) -> None:
        weights = replace(weights, name=network_name(Path(self.choice.value())))
        self.other = Recognizer(weights)
        self.bars[1].set_classes(weights.class_names)
        self._names[1].set_text(weights.name)
        self.read()

    def _fail(self, error: Exception) -> None:
        self._session.raise_error("This network can't be opened", as_digitpad_error(error))

    def _build(self) -> None:
        self.choice.setAccessibleName("Compare with")
        self.choice.setMinimumContentsLength(8)
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for number, bars in enumerate(self.bars, start=1):
            bars.setObjectName(f"compare_bars_{number}")
        close = link("Close", "compare_close", "Close the comparison")
        close.clicked.connect(self.left)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        row = QHBoxLayout()
        row.addWidget(make_label("Compare with", "soft"))
        row.addWidget(self.choice, 1)
        row.addWidget(close)
        column.addLayout(row)
        self._verdict.setWordWrap(True)
        column.addWidget(self._verdict)
        self._pair = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._pair.setSpacing(3 * SPACE)
        for name, bars in zip(self._names, self.bars, strict=True):
            part = QVBoxLayout()
            part.setSpacing(SPACE)
            part.addWidget(name)
            part.addWidget(bars, 1)
            self._pair.addLayout(part, 1)
        column.addLayout(self._pair, 1)


def _verdict(first: Prediction | None, second: Prediction | None) -> str:
    """Return a text that compares two readings."""
    if first is None or second is None:
        return "Draw a digit: both networks read it."
    texts = [f"{one.label}, {format_percent(one.confidence)}" if one.sure else "not sure" for one in (first, second)]
    if first.label == second.label:
        return f"Both read {first.label}: {texts[0]} and {texts[1]}."
    return f"They differ: {texts[0]} and {texts[1]}."
