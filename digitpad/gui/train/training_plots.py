"""Live training curves; figures for files are drawn by `digitpad.plotting.figure_files`."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, PercentFormatter
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.blitting import BlittedFigure, set_loss_ticks
from digitpad.gui.widgets.theme import Theme
from digitpad.nn.arrays import Floats
from digitpad.number_format import format_percent
from digitpad.plotting.curve_points import Series, decimate

_LEFT, _TOP, _RIGHT, _BOTTOM = 5.0, 0.5, 1.0, 1.7  # margins for the labels, in sizes of the text

_ACCURACY_STEPS = {
    0.0: 0.2,
    0.5: 0.1,
    0.9: 0.02,
    0.97: 0.01,
}  # distance of grid lines by lower limit of the axis


class TrainingCurves(BlittedFigure):
    """Training and validation curves over epochs, with faint raw training values behind them."""

    def __init__(self, theme: Theme, name: str, *, logarithmic: bool, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, (6, 2), parent)
        self._logarithmic = logarithmic
        self.setMinimumHeight(90)
        self.axes = self.figure.add_subplot()
        self.n_epochs = 10
        self._low = 1e-1 if logarithmic else 0.0
        self._high = 3.0 if logarithmic else 1.0
        self.hint = ""
        self.marks: list[tuple[float, str]] = []
        self.lines = {
            key: self.axes.add_line(Line2D([], [], animated=True, antialiased=True, solid_capstyle="round"))
            for key in ("raw", "training", "validation")
        }
        self._best = self.axes.axhline(np.nan, animated=True, linestyle=(0, (3, 4)), linewidth=1)
        # The label is on the left, because the curves end near the best value on the right.
        self.best_label = self.axes.text(
            0.01, 0, "", animated=True, va="bottom", transform=self.axes.get_yaxis_transform()
        )
        # Beside the tick labels, where it takes no room from the axes.
        self._x_title = self.axes.annotate(
            "Epoch", (0, 0), (-8, -3.5), "axes fraction", textcoords="offset points", ha="right", va="top"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Loss by epoch" if logarithmic else "Accuracy by epoch")
        set_accessible_role(self, Role.Chart)
        self._restyle()

    def set_plan(self, epochs: int, hint: str = "") -> None:
        """Clear the axes and scale them to ``epochs``; show ``hint`` in them until there are values."""
        is_empty = not any(np.size(line.get_xdata()) for line in self.lines.values())
        if is_empty and (epochs, hint) == (self.n_epochs, self.hint):
            return
        self.n_epochs, self.hint = epochs, hint
        self.setAccessibleDescription(hint)
        self._low = 1e-1 if self._logarithmic else 0.0
        self._high = 3.0 if self._logarithmic else 1.0
        for line in self.lines.values():
            line.set_data([], [])
        self._best.set_ydata([np.nan, np.nan])
        self.best_label.set_text("")
        self._restyle()

    def set_series(self, raw: Series | None, training: Series, validation: Series, best: float | None = None) -> None:
        """Show curves; a value outside the axes extends their limits, also to the right."""
        for key, series in (("raw", raw), ("training", training), ("validation", validation)):
            if series is not None:
                thinned = decimate(series)
                self.lines[key].set_data(thinned.x, thinned.y)
        if best is not None:
            self._best.set_ydata([best, best])
            self.best_label.set_y(best)
            self.best_label.set_text(f"best so far {format_percent(best, 2)}")
        self.setAccessibleDescription(self._describe(training, validation))
        values = [series.y for series in (raw, training, validation) if series is not None and len(series.y)]
        last = max((float(series.x[-1]) for series in (training, validation) if len(series.x)), default=0.0)
        is_longer = last > self.n_epochs
        self.n_epochs = max(self.n_epochs, math.ceil(last))
        if self._grow(values) or is_longer or self.hint:
            self.hint = ""
            self._restyle()
        else:
            self._blit()

    def _describe(self, training: Series, validation: Series) -> str:
        """Return the last values as text."""
        if not len(validation.y):
            return ""
        last = (float(series.y[-1]) for series in (training, validation))
        texts = [f"{value:.4f}" if self._logarithmic else format_percent(value, 2) for value in last]
        return f"Epoch {validation.x[-1]:g}: training {texts[0]}, validation {texts[1]}"

    def set_marks(self, marks: Sequence[tuple[float, str]]) -> None:
        """Draw vertical marks at positions x; the text of a mark is its tooltip."""
        if list(marks) == self.marks:
            return
        self.marks = list(marks)
        self._restyle()

    def _grow(self, values: Sequence[Floats]) -> bool:
        """Adapt the limits and return whether they changed.

        Limits of losses move by whole decades; the axis of accuracies zooms in as they near 1.
        """
        if not values:
            return False
        everything = np.concatenate(values)
        everything = everything[np.isfinite(everything)]
        if not everything.size:
            return False
        low, high = self._low, self._high
        if self._logarithmic:
            while everything.min() < low and low > 1e-8:
                low /= 10
            while everything.max() > high and high < 1e6:
                high *= 10
        else:
            # The last points decide: once all are above 0.9, the axis shows only that range. Zooming in needs a margin
            # of 0.005, so that the limits do not switch back and forth.
            lowest = min(float(line[-1]) for line in values)
            fitting = (limit for limit in _ACCURACY_STEPS if lowest > limit + (0.005 if limit > self._low else 0))
            low = max(fitting, default=0.0)
        if (low, high) == (self._low, self._high):
            return False
        self._low, self._high = low, high
        return True

    def _restyle(self) -> None:
        tokens = self._theme.tokens
        axes = self.axes
        text_px, width, height = self.text_px, max(1, self.width()), max(1, self.height())
        self.figure.subplots_adjust(
            left=min(0.4, _LEFT * text_px / width), right=max(0.6, 1 - _RIGHT * text_px / width),
            top=max(0.6, 1 - _TOP * text_px / height), bottom=min(0.4, _BOTTOM * text_px / height),
        )  # fmt: skip
        self.figure.set_facecolor(tokens.card)
        axes.set_facecolor(tokens.card)
        axes.set_xlim(0, self.n_epochs)
        if self._logarithmic:
            axes.set_yscale("log")
            set_loss_ticks(axes.yaxis, self._low, self._high)
        else:
            step = _ACCURACY_STEPS[self._low]
            axes.yaxis.set_major_locator(FixedLocator(list(np.arange(self._low, 1 + step / 2, step))))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol="\N{NO-BREAK SPACE}%"))
        axes.set_ylim(self._low, self._high)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        small = self.text_points(0.85)
        axes.tick_params(which="both", length=0, labelsize=small, labelcolor=tokens.soft)
        axes.set_ylabel("Loss" if self._logarithmic else "Accuracy", fontsize=small, color=tokens.soft, labelpad=3)
        axes_px = max(1.0, width - (_LEFT + _RIGHT) * text_px)
        axes.yaxis.set_label_coords(-(_LEFT - 1.1) * text_px / axes_px, 0.5)
        self._x_title.set(fontsize=small, color=tokens.soft)
        axes.grid(visible=True, axis="y", color=tokens.hairline, linewidth=0.8)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_visible(False)
        for key, colour, width in (
            ("raw", tokens.accent, 0.8),
            ("training", tokens.accent, 1.8),
            ("validation", tokens.second, 1.8),
        ):
            self.lines[key].set(color=colour, linewidth=width, alpha=0.3 if key == "raw" else 1)
        self._best.set_color(tokens.faint)
        self.best_label.set(
            fontsize=small,
            color=tokens.soft,
            bbox={"facecolor": tokens.card, "edgecolor": "none", "pad": 1, "alpha": 0.8},
        )
        for text in list(axes.texts):
            if text is not self.best_label and text is not self._x_title:
                text.remove()
        if self.hint:
            axes.text(
                0.5, 0.5, self.hint, transform=axes.transAxes, ha="center", va="center", fontsize=self.text_points(1),
                color=tokens.soft, linespacing=1.6, bbox={"facecolor": tokens.card, "edgecolor": "none", "pad": 2},
            )  # fmt: skip
        for line in list(axes.lines):
            if line.get_gid() == "mark":
                line.remove()
        for x, _ in self.marks:
            axes.axvline(x, color=tokens.faint, linewidth=1, linestyle=(0, (1, 3)), gid="mark")
        super()._restyle()

    def _draw_lines(self) -> None:
        for artist in (*self.lines.values(), self._best, self.best_label):
            self.axes.draw_artist(artist)

    def _mark_at(self, x_px: float) -> str:
        """Return the text of the mark under the pointer, or an empty string."""
        for x, text in self.marks:
            if abs(self.axes.transData.transform((x, self._high))[0] / self.device_pixel_ratio - x_px) <= 5:
                return text
        return ""

    # Qt overrides.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._restyle()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        text = self._mark_at(event.position().x())
        if text:
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        else:
            QToolTip.hideText()
        super().mouseMoveEvent(event)
