"""Live training curves; figures for files are drawn by `digitpad.plotting.figure_files`."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, PercentFormatter
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from digitpad.gui.widgets.blitting import BlittedFigure
from digitpad.gui.widgets.theme import Theme
from digitpad.nn.arrays import Floats
from digitpad.number_format import format_percent
from digitpad.plotting.curve_points import Series, decimate

_LEFT_PX, _TOP_PX, _RIGHT_PX, _BOTTOM_PX = 54, 6, 12, 22  # margins for the labels, independent of the size of the axes

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
            0.01, 0, "", animated=True, va="bottom", fontsize=8, transform=self.axes.get_yaxis_transform()
        )
        self._restyle()

    def set_plan(self, epochs: int, hint: str = "") -> None:
        """Clear the axes and scale them to ``epochs``; show ``hint`` in them until there are values."""
        is_empty = not any(np.size(line.get_xdata()) for line in self.lines.values())
        if is_empty and (epochs, hint) == (self.n_epochs, self.hint):
            return
        self.n_epochs, self.hint = epochs, hint
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
        values = [series.y for series in (raw, training, validation) if series is not None and len(series.y)]
        last = max((float(series.x[-1]) for series in (training, validation) if len(series.x)), default=0.0)
        is_longer = last > self.n_epochs
        self.n_epochs = max(self.n_epochs, math.ceil(last))
        if self._grow(values) or is_longer or self.hint:
            self.hint = ""
            self._restyle()
        else:
            self._blit()

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
        self.figure.set_facecolor(tokens.card)
        axes.set_facecolor(tokens.card)
        axes.set_xlim(0, self.n_epochs)
        if self._logarithmic:
            axes.set_yscale("log")
            first, last = round(np.log10(self._low)), int(np.floor(np.log10(self._high)))
            axes.yaxis.set_major_locator(FixedLocator([10.0**power for power in range(first, last + 1)]))
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
        else:
            step = _ACCURACY_STEPS[self._low]
            axes.yaxis.set_major_locator(FixedLocator(list(np.arange(self._low, 1 + step / 2, step))))
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol="\N{NO-BREAK SPACE}%"))
        axes.set_ylim(self._low, self._high)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.tick_params(which="both", length=0, labelsize=8, labelcolor=tokens.soft)
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
            color=tokens.soft, bbox={"facecolor": tokens.card, "edgecolor": "none", "pad": 1, "alpha": 0.8}
        )
        for text in list(axes.texts):
            if text is not self.best_label:
                text.remove()
        if self.hint:
            axes.text(
                0.5, 0.5, self.hint, transform=axes.transAxes, ha="center", va="center", fontsize=9.5,
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
        width, height = max(1, event.size().width()), max(1, event.size().height())
        self.figure.subplots_adjust(
            left=min(0.4, _LEFT_PX / width), right=max(0.6, 1 - _RIGHT_PX / width),
            top=max(0.6, 1 - _TOP_PX / height), bottom=min(0.4, _BOTTOM_PX / height),
        )  # fmt: skip
        self._stale = True
        super().resizeEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        text = self._mark_at(event.position().x())
        if text:
            QToolTip.showText(event.globalPosition().toPoint(), text, self)
        else:
            QToolTip.hideText()
        super().mouseMoveEvent(event)
