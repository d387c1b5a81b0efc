"""The curves of the chosen runs over each other, how they are drawn, and what differs between the runs below them."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QMenu,
    QSlider,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from digitpad.errors import RunError
from digitpad.gui.runs.comparison_table import ComparisonModel
from digitpad.gui.tasks.worker import Worker
from digitpad.gui.widgets.basics import SPACE, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Check, WordChoice, link
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.gui.widgets.table_items import prepare_table
from digitpad.gui.widgets.theme import Theme
from digitpad.plotting.palette import LINE_COLOURS
from digitpad.runs.run import RunStatus
from digitpad.runs.run_comparison import CurveAxis, RunLines, SettingDifference, differences, to_csv
from digitpad.runs.run_registry import RunEntry, RunRegistry

if TYPE_CHECKING:
    from digitpad.gui.runs.run_plots import RunPlots

_SPANS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # of smoothing, in steps
_AXES = {CurveAxis.STEP: "Over steps", CurveAxis.EPOCH: "Over epochs", CurveAxis.TIME: "Over time"}


class RunCurves(QWidget):
    """Draws runs once their logs are read, which is done by the worker.

    Parameters
    ----------
    catalogue : Catalogue
        Where the logs are read; the worker's alone.
    """

    shown = Signal()  # curves and differences are those of what is chosen
    failed = Signal(object)  # DigitpadError

    def __init__(self, theme: Theme, catalogue: RunRegistry, worker: Worker) -> None:
        super().__init__()
        self._theme = theme
        self._catalogue = catalogue
        self._worker = worker
        self._entries: Sequence[RunEntry] = ()
        self.colours: dict[str, str] = {}
        self.lines: Sequence[RunLines] = ()
        self._plots: RunPlots | None = None
        self._comparison = ComparisonModel()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        column.addLayout(self._build_controls())
        column.addWidget(self._build_cards(), 1)

    def set_runs(self, entries: Sequence[RunEntry]) -> None:
        """Have the curves of these made, and shown once they are."""
        self._entries = entries
        ids = [entry.id for entry in entries]
        self.colours = {id_: colour for id_, colour in self.colours.items() if id_ in ids}
        for id_ in ids:  # a line keeps its colour while others come and go
            if id_ not in self.colours:
                self.colours[id_] = next(one for one in LINE_COLOURS if one not in self.colours.values())
        self._redraw()

    def content(self, path: Path) -> Callable[[], bytes]:
        """What makes, in a thread, what a file of that name is to hold: what is shown, or one run's log as a table.

        It raises a `RunError` for a name that ends in something else.
        """
        entries, axis, suffix = self._entries, CurveAxis(self._over.value()), path.suffix.lower()[1:]
        span, logarithmic = _SPANS[self._smoothing.value()], self._logarithmic.value()
        colours = [self.colours[entry.id] for entry in entries]

        def made() -> bytes:
            traces = self._catalogue.traces(entries)
            if suffix == "csv" and len(traces) == 1:
                return to_csv(traces[0]).encode()
            if suffix not in ("png", "svg"):
                raise RunError(path, "runs are exported as .png or .svg, one run as .csv too")
            from digitpad.plotting.figure_files import runs_figure

            lines = [RunLines.of(trace, axis, span) for trace in traces]
            return runs_figure(lines, axis, suffix, logarithmic=logarithmic, colours=colours)

        return made

    def fill(self, view: QMenu) -> None:
        """Add to a menu how the curves can be looked at."""
        for place, words in enumerate(_AXES.values()):
            add_action(view, words, partial(self._over.setCurrentIndex, place), f"Ctrl+{place + 1}")
        add_action(view, "&Logarithmic loss", self._logarithmic.click, "Ctrl+L")
        add_action(view, "&Show all", self._whole.click, "Ctrl+0")

    @property
    def tab_stops(self) -> list[QWidget]:
        """What Tab goes through, in order; once it is shown, through the plots too, before the values."""
        return [self._over, self._logarithmic, self._smoothing, self._whole, self._values]

    def _redraw(self) -> None:
        entries, axis, span = self._entries, CurveAxis(self._over.value()), _SPANS[self._smoothing.value()]
        live = [entry.id for entry in entries if entry.summary.status is RunStatus.RUNNING]

        def made() -> tuple[list[RunLines], list[SettingDifference], CurveAxis, float]:
            traces = self._catalogue.traces(entries)
            lines = [RunLines.of(trace, axis, span) for trace in traces]
            return lines, differences(traces), axis, max([_end(line, line.id in live) for line in lines], default=1.0)

        self._worker.do("lines", made, self._on_made, self.failed.emit)

    def _on_made(self, made: tuple[list[RunLines], list[SettingDifference], CurveAxis, float]) -> None:
        lines, differing, axis, until = made
        if {line.id for line in lines} != set(self.colours):
            return  # others are chosen by now, and theirs are being made
        colours = [self.colours[line.id] for line in lines]
        self.lines = lines
        n = self._comparison.columnCount()
        self._comparison.set_runs(lines, colours, differing, axis)
        if self._plots is not None:
            self._plots.set_lines(lines, colours, axis, until)
        if self._comparison.columnCount() != n:
            self._values.resizeColumnsToContents()
        self.shown.emit()

    # Building.

    def _build_controls(self) -> QHBoxLayout:
        self._over = named(WordChoice({str(axis): words for axis, words in _AXES.items()}), "runs_axis")
        self._over.setAccessibleName("Curves over")
        self._over.setToolTip("What the curves are over")
        self._over.edited.connect(self._redraw)
        self._logarithmic = named(Check("Log"), "runs_logarithmic")
        self._logarithmic.setChecked(True)
        self._logarithmic.setToolTip("The loss on a logarithmic scale")
        self._logarithmic.edited.connect(self._set_logarithmic)
        self._smoothing = named(QSlider(Qt.Orientation.Horizontal), "runs_smoothing")
        self._smoothing.setRange(0, len(_SPANS) - 1)
        self._smoothing.setPageStep(3)
        self._smoothing.setValue(_SPANS.index(30))
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setToolTip("Average the training loss over about so many steps; single ones stay faint behind")
        self._smoothing.setMinimumWidth(70)
        self._smoothing.setMaximumWidth(180)
        self._smoothing.valueChanged.connect(self._smooth)
        self._span = make_label("", "caption", "runs_span")
        self._span.setFixedWidth(66)
        self._whole = link("Show all", "runs_whole", "Undo zooming and moving (Home, or a double click)")
        self._whole.setEnabled(False)
        self._whole.clicked.connect(self._show_all)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self._over)
        row.addWidget(self._logarithmic)
        row.addSpacing(SPACE)
        row.addWidget(make_label("Smoothing", "soft"))
        row.addWidget(self._smoothing, 1)
        row.addWidget(self._span)
        row.addStretch(1)
        row.addWidget(self._whole)
        self._smooth(self._smoothing.value())
        return row

    def _build_cards(self) -> QSplitter:
        vertical = QSplitter(Qt.Orientation.Vertical)
        vertical.setChildrenCollapsible(False)
        vertical.setHandleWidth(3 * SPACE)
        above = make_card("curves_card")
        self._plot_place = QVBoxLayout(above)
        self._plot_place.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        above.setMinimumHeight(220)
        vertical.addWidget(above)
        below = make_card("comparison_card")
        inside = QVBoxLayout(below)
        inside.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        self._values = prepare_table(named(QTableView(), "comparison_table"), "Values and differing settings")
        self._values.setModel(self._comparison)
        self._values.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._values.horizontalHeader().setMaximumSectionSize(220)
        below.setMinimumHeight(120)
        inside.addWidget(self._values)
        vertical.addWidget(below)
        vertical.setStretchFactor(0, 3)
        vertical.setStretchFactor(1, 1)
        vertical.setSizes([430, 190])
        return vertical

    # How the curves are drawn.

    def _smooth(self, place: int) -> None:
        span = _SPANS[place]
        self._span.setText("none" if span == 1 else f"{span} steps")
        if self.lines:
            self._redraw()

    def _show_all(self) -> None:
        if self._plots is not None:
            self._plots.show_all()

    def _set_logarithmic(self) -> None:
        if self._plots is not None:
            self._plots.set_logarithmic(self._logarithmic.value())

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        """Import matplotlib when the curves are first shown, and no earlier."""
        super().showEvent(event)
        if self._plots is None:
            from digitpad.gui.runs.run_plots import RunPlots

            self._plots = RunPlots(self._theme)
            self._plots.place_changed.connect(self._comparison.set_place)
            self._plots.zoom_changed.connect(self._whole.setEnabled)
            self._plot_place.addWidget(self._plots)
            self.setTabOrder(self._whole, self._plots)
            self.setTabOrder(self._plots, self._values)


def _end(line: RunLines, live: bool) -> float:
    """Where the axis has to end for a run: at its last point, or while it is in training where it is to end."""
    lasts = [curve.x[-1] for curve in (line.raw, *line.scores.values()) if curve.x.size]
    return float(max([1e-6, *lasts, *([line.planned] if live else [])]))
