"""Panel of the softmax: logits to probabilities, step by step, at any temperature."""

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from digitpad.class_names import DIGITS
from digitpad.gui.inspect.numeric_table import NumericTable, TableLine
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.term_button import explain
from digitpad.gui.widgets.text_size import scale_with_text
from digitpad.gui.widgets.theme import Theme
from digitpad.inspection.arithmetic import format_value
from digitpad.inspection.pixel_ablation import softmax_steps
from digitpad.nn.arrays import Floats, Ints
from digitpad.number_format import format_percent

STEPS = 40  # slider steps on each side of the middle; the ends are temperatures 0.1 and 10
COLUMNS = (0.22, 0.42, 0.76, 1.0)
COLUMNS_OF_NAMES = (0.4, 0.58, 0.8, 1.0)
MAX_LINES = 11  # maximum number of class lines


class SoftmaxPanel(QWidget):
    """Table of logits, logits divided by the temperature, their exponentials and the probabilities."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._logits: Floats | None = None
        self._names: Sequence[str] = DIGITS
        self._slider = named(QSlider(Qt.Orientation.Horizontal), "temperature")
        self._slider.setRange(-STEPS, STEPS)
        self._slider.setAccessibleName("Temperature")
        self._slider.setToolTip("Above 1, probabilities are more even; below 1, less even. The order stays.")
        self._value = make_label("1.00", "strong", "temperature_value")
        scale_with_text(self._value, self._value.setFixedWidth, 44)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sheet = NumericTable(theme, "softmax_sheet")
        self.sheet.setAccessibleName("Softmax")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        title = make_label("Softmax", "strong")
        explain(title, "softmax")
        column.addWidget(title)
        column.addWidget(make_label("Softmax turns logits into probabilities", "caption"))
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        caption = make_label("Temperature T", "caption")
        explain(caption, "temperature")
        row.addWidget(caption)
        row.addWidget(self._slider, 1)
        row.addWidget(self._value)
        column.addLayout(row)
        column.addSpacing(SPACE)
        column.addWidget(self.sheet, 1)
        self._slider.valueChanged.connect(self._show)

    @property
    def temperature(self) -> float:
        """Temperature that the logits are divided by, 0.1 to 10."""
        return math.pow(10, self._slider.value() / STEPS)

    def set_logits(self, logits: Floats | None, class_names: Sequence[str]) -> None:
        """Show the logits of these classes; None shows a hint."""
        self._logits, self._names = logits, class_names
        self._show()

    def _show(self) -> None:
        temperature = self.temperature
        self._value.setText(f"{temperature:.2f}")
        short = max(map(len, self._names)) <= 2 and len(self._names) <= MAX_LINES
        head = TableLine(("", "z", "z / T", "exp(z / T − m)" if short else "exp", "prob."), soft=True)
        columns = COLUMNS if short else COLUMNS_OF_NAMES
        if self._logits is None:
            self.sheet.set_lines([head, TableLine(("Draw on the pad to fill this table",), soft=True)], columns)
            return
        steps = softmax_steps(self._logits, temperature)
        best = int(steps.probabilities.argmax())
        places, others = self._split_classes(steps.logits)
        lines = [
            TableLine(
                (
                    self._names[place],
                    format_value(float(steps.logits[place])),
                    format_value(float(steps.cooled[place])),
                    format_value(float(steps.powers[place])),
                    format_percent(float(steps.probabilities[place])),
                ),
                strong=place == best,
            )
            for place in places
        ]
        if len(others):
            powers, shares = (float(values[others].sum()) for values in (steps.powers, steps.probabilities))
            lines.append(
                TableLine((f"{len(others)} others", "", "", format_value(powers), format_percent(shares)), soft=True)
            )
        total = TableLine(("Sum", "", "", format_value(steps.total), format_percent(1.0)), ruled=True)
        m = format_value(float(steps.cooled.max()))
        notes = [
            "",
            "z: logits, the output of the network",
            f"exp: of z / T − m, where m = {m} is",
            "the largest z / T. Subtracting m keeps exp",
            "small and changes no probability.",
            "The network itself uses T = 1." if temperature != 1 else "T = 1: the output of the network itself",
        ]
        self.sheet.set_lines([head, *lines, total, *(TableLine((note,), soft=True) for note in notes)], columns)

    def _split_classes(self, logits: Floats) -> tuple[Ints, Ints]:
        """Return the classes with their own line and those summed in one line.

        With more than `MAX_LINES` classes, only the most probable have their own line.
        """
        n = len(logits)
        if n <= MAX_LINES:
            return np.arange(n), np.empty(0, np.intp)
        order = np.argsort(-logits, kind="stable")
        return order[: MAX_LINES - 1], order[MAX_LINES - 1 :]
