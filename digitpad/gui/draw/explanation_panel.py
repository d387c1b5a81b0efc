"""Explanation panel: the 28 × 28 network input, the evidence in its pixels, and changes that alter the prediction."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from digitpad.class_names import noun
from digitpad.gui.canvas.pad import Pad
from digitpad.gui.canvas.pixel_view import SPEAKS_AGAINST, SPEAKS_FOR, PixelView, evidence_picture
from digitpad.gui.charts.legend import LegendEntry, sign_symbol
from digitpad.gui.tasks.task import Policy, TaskRunner
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, keep_width, make_label, named
from digitpad.gui.widgets.term_button import explain
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import input_area
from digitpad.ink.strokes import CANVAS_PX, Stroke
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.recognition.explainer import Evidence, Explainer, Finding
    from digitpad.recognition.recognizer import Prediction

WEIGH_MS = 100
"""Minimum time between updates of the evidence; faster changes cannot be seen."""

ALIKE = 0.7
"""Minimum share of common ink of two images, at which one counts as a continuation of the other."""

# The text, short enough for a small window, and the rest of its tooltip.
_SCALED = "28 × 28 pixels, scaled and centred", " like the training digits."
_SAMPLE = "28 × 28 pixels from the dataset", ", neither scaled nor moved."


class _Lines(QLabel):
    """Label that shows as many whole lines as fit; if some do not fit, the tooltip shows all lines."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.lines: tuple[str, ...] = ()

    def set_lines(self, lines: Sequence[str]) -> None:
        """Set the lines; the first lines have priority."""
        self.lines = tuple(lines)
        self.setAccessibleName("; ".join(lines))
        self._fit()

    def _fit(self) -> None:
        metrics = QFontMetrics(self.font())
        room = self.contentsRect()
        for n in range(len(self.lines), -1, -1):
            text = "\n".join(self.lines[:n])
            if metrics.boundingRect(room, Qt.TextFlag.TextWordWrap, text).height() <= room.height():
                break
        self.setText(text)
        self.setToolTip("\n".join(self.lines) if n < len(self.lines) else "")

    # Qt overrides.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class ExplanationPanel(QFrame):
    """Card with the network input, and on request the evidence and the changes that would alter the prediction.

    ``drawing`` returns the ink that the prediction is for; by default, all ink on the pad.
    """

    explains_toggled = Signal(bool)  # whether explanations are shown

    def __init__(self, theme: Theme, pad: Pad, weights: Weights, drawing: Callable[[], Drawing] | None = None) -> None:
        super().__init__()
        self._pad = pad
        self._weights = weights
        self._explainer: Explainer | None = None  # created on first use
        self._prediction: Prediction | None = None
        self._view = PixelView(theme)
        self._heading = make_label("Network input", "heading")
        explain(self._heading, "network-input")
        self._for = LegendEntry(theme, sign_symbol("+", SPEAKS_FOR), name="speaks_for")
        self._against = LegendEntry(theme, sign_symbol("−", SPEAKS_AGAINST), name="speaks_against")
        self._why = named(QPushButton("Why?"), "why")
        self._about = make_label(_SCALED[0], "soft", "about_seen")
        self._try = named(QPushButton("Try it"), "try_it")
        self._proposal: Finding | None = None
        self._explained = drawing or (lambda: pad.drawing)
        self.findings = _Lines("findings")
        self._build()

        self._weighing = TaskRunner("", Policy.IDLE, self)
        self._searching = TaskRunner("", Policy.IDLE, self)
        self._weigh_soon = Throttle(self._weigh, WEIGH_MS, self)
        pad.drawing_changed.connect(self._forget_findings)
        pad.settled.connect(self._search)
        self._why.toggled.connect(self._update_explanation)
        self._why.toggled.connect(self.explains_toggled)
        self._update_explanation(False)

    @property
    def explains(self) -> bool:
        """Whether explanations are shown."""
        return self._why.isChecked()

    def set_explains(self, explains: bool) -> None:
        """Show or hide explanations."""
        self._why.setChecked(explains)

    @property
    def finding(self) -> str:
        """First line about changes; empty if explanations are hidden or not yet available."""
        return self.findings.lines[0].removeprefix("· ") if self.explains and self.findings.lines else ""

    def set_input_size(self, side_px: int) -> None:
        """Set the size of the network input, which sets the height of the card."""
        self._view.set_side(side_px)
        self.setFixedHeight(side_px + 8 * SPACE)

    def set_weights(self, weights: Weights) -> None:
        """Explain another network from now on; its prediction follows in a separate call."""
        self._weights, self._explainer = weights, None
        self._weighing.cancel()
        self._view.set_prediction(self._prediction)
        self._forget_findings()
        self._search()

    def explain_again(self) -> None:
        """Explain another digit of the number on the pad."""
        self._forget_findings()
        self._search()

    def set_prediction(self, prediction: "Prediction | None") -> None:
        """Show the network input; the evidence follows when it has been computed.

        If the ink continues the previous ink, the previous evidence stays until then, so that colours do not flicker.
        """
        before, self._prediction = self._prediction, prediction
        about, more = _SAMPLE if self._pad.drawing.is_sample else _SCALED
        self._about.setText(about)
        self._about.setToolTip(about + more)
        if prediction is None or not self.explains:
            self._weighing.cancel()
            self._view.set_prediction(prediction)
            self._name_digits()
            return
        continues = self._pad.is_drawing or (before is not None and _similar(before.image, prediction.image))
        if not continues:
            self._weighing.cancel()
        if continues and self._view.has_evidence:
            self._view.set_ink(prediction.image)
        else:
            self._view.set_prediction(prediction)
            self._name_digits(*prediction.ranking[:2])
        self._weigh_soon.request()

    # Explaining.

    def _update_explanation(self, explains: bool) -> None:
        for widget in (self._for, self._against, self.findings, self._try):
            widget.setVisible(explains)
        if not explains:
            self._forget_findings()
        for text in (self._heading, self._about):
            text.setHidden(explains)
        self._searching.cancel()
        self.set_prediction(self._prediction)
        self._search()

    def _get_explainer(self) -> "Explainer":
        from digitpad.recognition.explainer import Explainer

        if self._explainer is None:
            self._explainer = Explainer(self._weights)
        return self._explainer

    @property
    def busy(self) -> bool:
        """Whether an explanation is being computed, or is about to be."""
        return self._weighing.busy or self._searching.busy or self._weigh_soon.is_pending

    def _weigh(self) -> None:
        prediction = self._prediction
        if prediction is None or not self.explains:
            return
        if self._weighing.busy:  # a large network takes longer than the interval; let it finish
            self._weigh_soon.request()
            return
        digit, instead, *_ = prediction.ranking
        explainer = self._get_explainer()
        self._weighing.start(lambda: explainer.weigh(prediction.image, digit, instead), finished=self._show_evidence)

    def _show_evidence(self, evidence: "Evidence") -> None:
        self._view.set_evidence(evidence)
        if self._prediction is not None:  # the ink may have grown since
            self._view.set_ink(self._prediction.image)
        self._name_digits(evidence.digit, evidence.instead)
        self._lay_over_ink(evidence)

    def _lay_over_ink(self, evidence: "Evidence") -> None:
        """Show the evidence over the ink on the pad, where it is large."""
        drawing = self._explained()
        area = input_area([stroke.points for stroke in drawing.strokes]) if drawing.image is None else None
        if drawing.is_sample:
            area = (0.0, 0.0, float(CANVAS_PX))
        if area is None:
            self._pad.show_evidence(None)
        else:
            left, top, side = area
            self._pad.show_evidence(evidence_picture(evidence.pixels), QRectF(left, top, side, side))

    def _try_proposal(self) -> None:
        """Replace the drawing by the changed strokes, which can be undone."""
        if self._proposal is not None:
            strokes = tuple(Stroke(path, self._pad.pen_width_px) for path in self._proposal.paths)
            explained = {id(stroke) for stroke in self._explained().strokes}
            others = tuple(stroke for stroke in self._pad.drawing.strokes if id(stroke) not in explained)
            self._pad.replace(Drawing((*others, *strokes)), "Try a change")

    def _propose(self, finding: "Finding | None") -> None:
        self._proposal = finding
        self._try.setEnabled(finding is not None)
        self._pad.show_ghost(() if finding is None else finding.paths)

    def _name_digits(self, digit: int | None = None, instead: int | None = None) -> None:
        names = self._weights.class_names
        supports = "supports it" if digit is None else f"supports {names[digit]}"
        opposes = "opposes it" if instead is None else f"suggests {names[instead]}"
        self._for.set_text(supports, f"+ {supports}")
        self._against.set_text(opposes, f"− {opposes}")

    def _search(self) -> None:
        if self.explains:
            explainer, drawing = self._get_explainer(), self._explained()
            self._searching.start(lambda: explainer.search(drawing), finished=self._show_findings)

    def _show_findings(self, findings: "tuple[Finding, ...] | None") -> None:
        self._propose(findings[0] if findings else None)
        if findings:
            self.findings.set_lines([f"· {finding}" for finding in findings])
        elif findings is not None:
            sure = self._prediction is not None and self._prediction.sure
            effect = "change the answer" if sure else f"make it a clear {noun(self._weights.class_names)}"
            self.findings.set_lines([f"No small change would {effect}."])
        elif self._pad.is_empty:
            self.findings.set_lines(
                ["Draw a digit to see which ink supports the prediction and which suggests another."]
            )
        else:
            self.findings.set_lines(["Small changes are only tested on strokes; this is an image."])

    def _forget_findings(self) -> None:
        self._searching.cancel()
        self._propose(None)
        self._pad.show_evidence(None)
        self.findings.set_lines([])

    # Layout.

    def _build(self) -> None:
        self.setObjectName("seen_card")
        self.setProperty("card", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        row.setSpacing(4 * SPACE)
        row.addWidget(self._view)
        top = QHBoxLayout()
        top.setSpacing(2 * SPACE)
        for widget in (self._heading, self._for, self._against):
            top.addWidget(widget)
        top.addStretch(1)
        self._why.setCheckable(True)
        keep_width(self._why)
        self._why.setShortcut("W")
        self._why.setToolTip("Show which ink supports the prediction, and which changes would alter it (W)")
        self._why.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # the pad keeps the focus for its arrow keys
        self._try.setToolTip("Draw the first change; Undo takes it back")
        self._try.clicked.connect(self._try_proposal)
        bottom = QHBoxLayout()
        bottom.setSpacing(2 * SPACE)
        bottom.addStretch(1)
        bottom.addWidget(self._try)
        bottom.addWidget(self._why)
        self._about.setWordWrap(True)
        self._about.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        column = QVBoxLayout()
        column.setSpacing(SPACE)
        column.addLayout(top)
        column.addWidget(self._about, 1)
        column.addWidget(self.findings, 1)
        column.addLayout(bottom)
        row.addLayout(column, 1)


def _similar(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Return whether two images have most of their ink in common."""
    return float(np.minimum(first, second).sum()) >= ALIKE * float(np.maximum(first, second).sum())
