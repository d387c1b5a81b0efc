"""Overlaid curves of several runs, with zoom, pan and values under the pointer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.blitting import BlittedFigure, set_loss_ticks
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_percent
from digitpad.plotting.curve_points import MAX_POINTS, Series, decimate
from digitpad.runs.run_comparison import (
    CurveAxis,
    RunCurve,
    RunLines,
    RunMark,
    accuracy_limits,
    format_duration,
    loss_limits,
    value_at,
)

_LEFT_PX, _RIGHT_PX, _TOP_PX, _BOTTOM_PX, _BETWEEN_PX = 58, 16, 24, 24, 26
_NEAR_PX = 9  # distance from a mark within which its tooltip appears
_ZOOM = 1.25  # factor of a wheel notch or a key press
_MOST = 1e30  # largest upper limit; 1 / _MOST is the smallest lower limit of a logarithmic scale
_DASHED = (0, (4, 2))
_MAX_POINTS = 4000  # of all batch loss curves together, which are the slowest to draw
_HINT = "Select runs in the list to compare their curves"


class RunPlots(BlittedFigure):
    """Plots of loss (above) and accuracy (below): training solid, validation dashed, losses of single batches faint.

    The wheel zooms at the pointer, in height with Ctrl; dragging pans; a double click shows all. Keys: + and - zoom,
    the arrows move the position whose values are read, Shift with the arrows pans, and Home shows all.
    """

    place_changed = Signal(object)  # position on the x axis whose values are read; None for the final values
    zoom_changed = Signal(bool)  # whether the plots are zoomed or panned

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, "run_plots", (6, 4), parent)
        self.setAccessibleName("Curves of the selected runs")
        set_accessible_role(self, Role.Chart)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(300, 200)
        self.losses, self.accuracies = self.figure.subplots(2, 1, sharex=True)
        self._lines: Sequence[RunLines] = ()
        self._colours: Sequence[str] = ()
        self.axis = CurveAxis.STEP
        self._until = 1.0
        self._logarithmic = True
        self._zoomed = False
        self.curves: list[tuple[Line2D, RunCurve]] = []
        self.marks: list[tuple[Line2D, Sequence[RunMark]]] = []
        self._x_title = self.accuracies.annotate(
            "", (0, 0), (-8, -3.5), "axes fraction", textcoords="offset points", ha="right", va="top"
        )
        self._places = [axes.axvline(np.nan, animated=True, linewidth=1) for axes in (self.losses, self.accuracies)]
        self.place: float | None = None
        self._limits: Any = None
        self._with_lines: object = None
        self._dragged: tuple[Axes, float, float] | None = None
        self.mpl_connect("motion_notify_event", self._moved)
        self.mpl_connect("button_press_event", self._pressed)
        self.mpl_connect("button_release_event", self._released)
        self.mpl_connect("scroll_event", self._scrolled)
        self.mpl_connect("figure_leave_event", self._left)
        self._show()

    @property
    def zoomed(self) -> bool:
        """Whether the plots are zoomed or panned."""
        return self._zoomed

    def set_lines(self, lines: Sequence[RunLines], colours: Sequence[str], axis: CurveAxis, until: float) -> None:
        """Show the curves of runs, each in its colour, over an x axis that ends at ``until``."""
        if axis is not self.axis:
            self._zoomed = False
            self.set_place(None)
        self._lines, self._colours, self.axis, self._until = lines, colours, axis, until
        self.setAccessibleDescription("; ".join(map(_last_values, lines)))
        for line, _ in (*self.curves, *self.marks):
            line.remove()
        self.curves, self.marks = [], []
        for run, colour in zip(lines, colours, strict=True):
            for axes, curve, style in (
                (self.losses, run.raw, {"linewidth": 0.7, "alpha": 0.22}),
                (self.losses, run.smooth, {"linewidth": 1.7}),
                (self.losses, run.scores["validation_loss"], {"linewidth": 1.7, "linestyle": _DASHED}),
                (self.accuracies, run.scores["training_accuracy"], {"linewidth": 1.7}),
                (self.accuracies, run.scores["validation_accuracy"], {"linewidth": 1.7, "linestyle": _DASHED}),
            ):
                self.curves.append((axes.add_line(Line2D([], [], color=colour, animated=True, **style)), curve))
            points = [mark.x for mark in run.marks], [mark.y for mark in run.marks]
            marks = Line2D(*points, color=colour, animated=True, linewidth=0, marker="D", markersize=6)
            self.marks.append((self.losses.add_line(marks), run.marks))
        self._show()

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Set whether the loss has a logarithmic scale."""
        if logarithmic != self._logarithmic:
            self._logarithmic = logarithmic
            self._zoomed = False
            self._show()

    def show_all(self) -> None:
        """Undo zoom and pan."""
        self._zoomed = False
        self._show()

    def zoom(self, factor: float, x: float = 0.5, *, height: Axes | None = None, y: float = 0.5) -> None:
        """Zoom in by ``factor`` around a point, given in shares of the axes.

        The x axis is zoomed; with axes ``height``, the y axis of these is zoomed instead.
        """
        axes = self.losses if height is None else height
        box = axes.bbox
        if height is None:
            width = box.width / factor
            left = box.x0 + (box.width - width) * x
            self._set_limits(axes, (left, left + width), None)
        else:
            tall = box.height / factor
            low = box.y0 + (box.height - tall) * y
            self._set_limits(axes, None, (low, low + tall))

    def pan(self, right: float, up: float = 0.0, axes: Axes | None = None) -> None:
        """Pan to the right and up, by shares of the axes."""
        axes = axes or self.losses
        box = axes.bbox
        dx, dy = right * box.width, up * box.height
        self._set_limits(axes, (box.x0 + dx, box.x1 + dx) if dx else None, (box.y0 + dy, box.y1 + dy) if dy else None)

    def set_place(self, x: float | None) -> None:
        """Read the values at a position of the x axis; None reads the final values."""
        if x == self.place:
            return
        self.place = x
        for line in self._places:
            line.set_xdata([np.nan if x is None else x] * 2)
        self._blit_place()
        self.place_changed.emit(x)

    # Limits.

    def _set_limits(self, axes: Axes, x_px: tuple[float, float] | None, y_px: tuple[float, float] | None) -> None:
        """Show the range between these canvas coordinates, unless it is too small or too large."""
        places = np.column_stack([x_px or axes.bbox.intervalx, y_px or axes.bbox.intervaly])
        with np.errstate(over="ignore", under="ignore"):
            (left, low), (right, high) = axes.transData.inverted().transform(places)
        is_wide = 1e-6 * self._until < right - left < 100 * self._until
        is_high = high - low > 1e-9 * abs(high) and high < _MOST and not (self._is_log(axes) and low < 1 / _MOST)
        if not self._lines or not is_wide or not is_high:
            return
        if x_px is not None:
            axes.set_xlim(left, right)
        if y_px is not None:
            axes.set_ylim(low, high)
        self._zoomed = True
        self._show()

    def _show(self) -> None:
        """Draw the visible part of the curves; redraw the figure in full only if the axes changed."""
        if not self._zoomed:
            self.losses.set_yscale("log" if self._logarithmic else "linear", **self._scale())
            self.losses.set_xlim(0, self._until or 1)
            self.losses.set_ylim(*loss_limits(self._lines, logarithmic=self._logarithmic))
            self.accuracies.set_ylim(*accuracy_limits(self._lines))
        left, right = self.losses.get_xlim()
        max_points = min(MAX_POINTS, _MAX_POINTS // max(1, len(self._lines)))
        for line, curve in self.curves:
            begin = max(0, int(np.searchsorted(curve.x, left)) - 1)
            end = int(np.searchsorted(curve.x, right, side="right")) + 1
            thinned = decimate(Series(curve.x[begin:end], curve.y[begin:end]), max_points)
            line.set_data(thinned.x, thinned.y)
        limits = (
            (left, right), self.losses.get_ylim(), self.accuracies.get_ylim(), self._logarithmic, self.axis,
            bool(self._lines),
        )  # fmt: skip
        if limits != self._limits:
            self._limits = limits
            self._restyle()
        else:
            self._blit()
        self.zoom_changed.emit(self._zoomed)

    def _is_log(self, axes: Axes) -> bool:
        return self._logarithmic and axes is self.losses

    def _scale(self) -> dict[str, str]:
        return {"nonpositive": "mask"} if self._logarithmic else {}

    # Drawing.

    def _restyle(self) -> None:
        tokens, small = self._theme.tokens, self.text_points(0.85)
        self.figure.set_facecolor(tokens.card)
        for axes, title in ((self.losses, "Loss"), (self.accuracies, "Accuracy")):
            axes.set_facecolor(tokens.card)
            # Without an explicit y, Matplotlib measures all artists to place a title, which doubles the drawing time.
            quiet = {"color": tokens.soft, "pad": 6, "y": 1.0}
            axes.set_title(title, loc="left", fontsize=small, fontweight="bold", **quiet)
            axes.set_title("━ training   ╍ validation", loc="right", fontsize=small, **quiet)
            axes.tick_params(which="both", length=0, labelsize=small, labelcolor=tokens.soft)
            axes.grid(visible=True, axis="y", color=tokens.hairline, linewidth=0.8)
            axes.set_axisbelow(True)
            for spine in axes.spines.values():
                spine.set_visible(False)
        if self._logarithmic:
            set_loss_ticks(self.losses.yaxis, *self.losses.get_ylim())
        else:
            self.losses.yaxis.set_major_locator(MaxNLocator(5))
            self.losses.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        low, high = self.accuracies.get_ylim()
        self.accuracies.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        decimals = 0 if high - low > 0.05 else 1 if high - low > 0.005 else 2
        self.accuracies.yaxis.set_major_formatter(PercentFormatter(1, decimals=decimals, symbol="\N{NO-BREAK SPACE}%"))
        timed = self.axis is CurveAxis.TIME
        self.losses.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 3, 5, 6, 10] if timed else None))
        self.losses.xaxis.set_major_formatter(lambda value, _: format_duration(value) if timed else f"{value:g}")
        self.losses.tick_params(labelbottom=False)
        self._x_title.set(text=self.axis.value.title(), fontsize=small, color=tokens.soft)
        for text in list(self.figure.texts):
            text.remove()
        if not self._lines:
            self.figure.text(
                0.5, 0.5, _HINT, transform=self.losses.transAxes, ha="center", va="center",
                fontsize=self.text_points(1), color=tokens.soft,
                bbox={"facecolor": tokens.card, "edgecolor": "none", "pad": 2},
            )  # fmt: skip
        for line, _ in self.marks:
            line.set_markeredgecolor(tokens.card)
        for line in self._places:
            line.set_color(tokens.faint)
        super()._restyle()

    def _draw_lines(self) -> None:
        """Draw the lines and keep a copy of the canvas, over which the position line moves."""
        for line, _ in (*self.curves, *self.marks):
            if line.axes is not None:
                line.axes.draw_artist(line)
        self._with_lines = self.copy_from_bbox(self.figure.bbox)
        self._draw_place()

    def _draw_place(self) -> None:
        for line in self._places:
            if self.place is not None and line.axes is not None:
                line.axes.draw_artist(line)

    def _blit_place(self) -> None:
        if self.is_drawn:
            self.restore_region(self._with_lines)
            self._draw_place()
            self.blit(self.figure.bbox)

    # The pointer.

    def _moved(self, event: Any) -> None:
        if self._dragged is not None:
            axes, x, y = self._dragged
            self._dragged = axes, event.x, event.y
            self.pan((x - event.x) / axes.bbox.width, (y - event.y) / axes.bbox.height, axes)
        elif event.inaxes is None or not self._lines:
            self._left(event)
        else:
            self.set_place(float(np.clip(event.xdata, 0, self._until)))
            self._show_mark_tip(event)

    def _show_mark_tip(self, event: Any) -> None:
        """Show a tooltip with the settings that changed at the mark under the pointer."""
        near = [
            mark.text
            for _, marks in self.marks
            for mark in marks
            if np.hypot(*(self.losses.transData.transform((mark.x, mark.y)) - (event.x, event.y)))
            < _NEAR_PX * self.devicePixelRatioF()
        ]
        if near:
            ratio = self.devicePixelRatioF()
            at = QPoint(round(event.x / ratio), round(self.height() - event.y / ratio))
            QToolTip.showText(self.mapToGlobal(at), "\n".join(near), self)
        else:
            QToolTip.hideText()

    def _pressed(self, event: Any) -> None:
        if event.inaxes is not None and event.button == 1:
            if event.dblclick:
                self.show_all()
            else:
                self._dragged = event.inaxes, event.x, event.y

    def _released(self, event: Any) -> None:
        self._dragged = None

    def _scrolled(self, event: Any) -> None:
        if event.inaxes is None:
            return
        x, y = event.inaxes.transAxes.inverted().transform((event.x, event.y))
        in_height = "ctrl" in event.modifiers
        self.zoom(_ZOOM**event.step, x, height=event.inaxes if in_height else None, y=y)

    def _left(self, event: Any) -> None:
        self.set_place(None)

    # Qt overrides.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        sideways = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        upwards = {Qt.Key.Key_Down: -1, Qt.Key.Key_Up: 1}.get(Qt.Key(event.key()), 0)
        left, right = self.losses.get_xlim()
        match event.key():
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self.zoom(_ZOOM)
            case Qt.Key.Key_Minus:
                self.zoom(1 / _ZOOM)
            case Qt.Key.Key_Home | Qt.Key.Key_0:
                self.show_all()
            case Qt.Key.Key_End:
                self.set_place(None)
            case _ if sideways and shift:
                self.pan(0.1 * sideways)
            case _ if sideways and self._lines:
                place = (left + right) / 2 if self.place is None else self.place
                self.set_place(float(np.clip(place + sideways * (right - left) / 50, 0, self._until)))
            case _ if upwards and shift:
                self.pan(0, 0.1 * upwards)
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QColor(self._theme.tokens.accent))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 6, 6)
            painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        width, height = max(1, event.size().width()), max(1, event.size().height())
        inner = max(1, (height - _TOP_PX - _BOTTOM_PX - _BETWEEN_PX) / 2)
        self.figure.subplots_adjust(
            left=min(0.4, _LEFT_PX / width), right=max(0.6, 1 - _RIGHT_PX / width), top=1 - _TOP_PX / height,
            bottom=_BOTTOM_PX / height, hspace=_BETWEEN_PX / inner,
        )  # fmt: skip
        self._stale = True
        super().resizeEvent(event)


def _last_values(run: RunLines) -> str:
    """Return the last values of a run's curves as text."""
    loss, accuracy = (value_at(run.scores[f"validation_{score}"], math.inf) for score in ("loss", "accuracy"))
    if loss is None or accuracy is None:
        return f"{run.name}: no epoch yet"
    return f"{run.name}: validation loss {loss:.4f}, validation accuracy {format_percent(accuracy, 2)}"
