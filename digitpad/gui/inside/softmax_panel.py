"""From logits to probabilities, step by step, at any temperature."""

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from digitpad.gui.inside.sheet import Line, Sheet
from digitpad.gui.theme import Theme
from digitpad.gui.widgets import SPACE, label, named, percent
from digitpad.inspection.answers import softmax_steps
from digitpad.inspection.arithmetic import number
from digitpad.nn.arrays import Floats

STEPS = 40  # of the slider, a tenth and ten times on either side of its middle
COLUMNS = (0.22, 0.42, 0.76, 1.0)


class SoftmaxPanel(QWidget):
    """The logits, divided by a temperature, raised, and shared out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._logits: Floats | None = None
        self._slider = named(QSlider(Qt.Orientation.Horizontal), "temperature")
        self._slider.setRange(-STEPS, STEPS)
        self._slider.setAccessibleName("Temperature")
        self._slider.setToolTip("Above 1, probabilities are more alike; below 1, less. The order stays.")
        self._value = label("1.00", "strong", "temperature_value")
        self._value.setFixedWidth(44)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sheet = Sheet(theme, "softmax_sheet")
        self.sheet.setAccessibleName("Softmax")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        column.addWidget(label("From logits to probabilities", "strong"))
        column.addWidget(label("Softmax shares one whole out among ten.", "caption"))
        column.addSpacing(SPACE)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(label("Temperature T", "caption"))
        row.addWidget(self._slider, 1)
        row.addWidget(self._value)
        column.addLayout(row)
        column.addSpacing(SPACE)
        column.addWidget(self.sheet, 1)
        self._slider.valueChanged.connect(self._show)

    @property
    def temperature(self) -> float:
        """What the logits are divided by."""
        return math.pow(10, self._slider.value() / STEPS)

    def set_logits(self, logits: Floats | None) -> None:
        """Show these, or nothing."""
        self._logits = logits
        self._show()

    def _show(self) -> None:
        temperature = self.temperature
        self._value.setText(f"{temperature:.2f}")
        head = Line(("", "z", "z / T", "exp(z / T − m)", "share"), soft=True)
        if self._logits is None:
            self.sheet.set_lines([head, Line(("Draw a digit to fill this.",), soft=True)], COLUMNS)
            return
        steps = softmax_steps(self._logits, temperature)
        best = int(steps.probabilities.argmax())
        lines = [
            Line(
                (
                    str(digit),
                    number(float(steps.logits[digit])),
                    number(float(steps.cooled[digit])),
                    number(float(steps.powers[digit])),
                    percent(float(steps.probabilities[digit])),
                ),
                strong=digit == best,
            )
            for digit in range(len(steps.logits))
        ]
        total = Line(("Sum", "", "", number(steps.total), percent(1.0)), ruled=True)
        m = number(float(steps.cooled.max()))
        said = [
            "",
            "z are the logits, the network's output.",
            f"m = {m} is the largest z / T; to take it off",
            "changes no share, and keeps exp small.",
            "The network itself has T = 1." if temperature != 1 else "T = 1 is what the network says.",
        ]
        self.sheet.set_lines([head, *lines, total, *(Line((one,), soft=True) for one in said)], COLUMNS)
