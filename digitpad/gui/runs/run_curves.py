"""The curves of the selected runs in one plot, and a table of the settings in which the runs differ."""

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
from digitpad.gui.tasks.task import TaskRunner, as_digitpad_error
from digitpad.gui.widgets.basics import SPACE, link, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Check, WordChoice
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.gui.widgets.reserved_label import ReservedLabel
from digitpad.gui.widgets.table_items import prepare_table
from digitpad.gui.widgets.term_button import explain
from digitpad.gui.widgets.theme import Theme
from digitpad.plotting.palette import LINE_COLOURS
from digitpad.runs.run import RunStatus
from digitpad.runs.run_comparison import CurveAxis, RunLines, SettingDifference, differences, to_csv
from digitpad.runs.run_registry import RunEntry, RunRegistry

if TYPE_CHECKING:
    from digitpad.gui.runs.run_plots import RunPlots

_SPANS = (
    1,
    2,
    3,
    5,
    7,
    10,
    15,
    20,
    30,
    50,
    70,
    100,
    150,
    200,
    300,
    500,
    700,
    1000,
)  # widths of the smoothing, in steps
_AXES = {CurveAxis.STEP: "Over steps", CurveAxis.EPOCH: "Over epochs", CurveAxis.TIME: "Over time"}


class RunCurves(QWidget):
    """Widget that reads the logs of runs in tasks, and draws their curves.

    Parameters
    ----------
    registry : RunRegistry
        Reads the logs; used in tasks alone.
    tasks : TaskRunner
    """

    shown = Signal()  # curves and table show the selected runs
    failed = Signal(object)  # DigitpadError

    def __init__(self, theme: Theme, registry: RunRegistry, tasks: TaskRunner) -> None:
        super().__init__()
        self._theme = theme
        self._registry = registry
        self._tasks = tasks
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
        """Show the curves of these runs once they are computed."""
        self._entries = entries
        ids = [entry.id for entry in entries]
        self.colours = {id_: colour for id_, colour in self.colours.items() if id_ in ids}
        for id_ in ids:  # a line keeps its colour while others come and go
            if id_ not in self.colours:
                self.colours[id_] = next(colour for colour in LINE_COLOURS if colour not in self.colours.values())
        self._redraw()

    def content(self, path: Path) -> Callable[[], bytes]:
        """Return a function for a task that makes the content of a file: the curves, or the log of one run as CSV.

        It raises a `RunError` for any other suffix.
        """
        entries, axis, suffix = self._entries, CurveAxis(self._over.value()), path.suffix.lower()[1:]
        span, logarithmic = _SPANS[self._smoothing.value()], self._logarithmic.value()
        colours = [self.colours[entry.id] for entry in entries]

        def content() -> bytes:
            traces = self._registry.traces(entries)
            if suffix == "csv" and len(traces) == 1:
                return to_csv(traces[0]).encode()
            if suffix not in ("png", "svg"):
                raise RunError(path, "has an unknown suffix; use .png or .svg, or .csv for a single run")
            from digitpad.plotting.figure_files import runs_figure

            lines = [RunLines.of(trace, axis, span) for trace in traces]
            return runs_figure(lines, axis, suffix, logarithmic=logarithmic, colours=colours)

        return content

    def fill(self, view: QMenu) -> None:
        """Add the view commands to a menu."""
        for place, words in enumerate(_AXES.values()):
            add_action(view, words, partial(self._over.setCurrentIndex, place), f"Ctrl+{place + 1}")
        add_action(view, "&Logarithmic loss", self._logarithmic.click, "Ctrl+L")
        add_action(view, "&Show all", self._whole.click, "Ctrl+0")

    @property
    def tab_stops(self) -> list[QWidget]:
        """The widgets in tab order; the plots come before the table once they are shown."""
        return [self._over, self._logarithmic, self._smoothing, self._whole, self._values]

    def _redraw(self) -> None:
        entries, axis, span = self._entries, CurveAxis(self._over.value()), _SPANS[self._smoothing.value()]
        live = [entry.id for entry in entries if entry.summary.status is RunStatus.RUNNING]

        def compute() -> tuple[list[RunLines], list[SettingDifference], CurveAxis, float]:
            traces = self._registry.traces(entries)
            lines = [RunLines.of(trace, axis, span) for trace in traces]
            return lines, differences(traces), axis, max([_end(line, line.id in live) for line in lines], default=1.0)

        self._tasks.start(
            compute,
            key="lines",
            finished=self._show_lines,
            failed=lambda error: self.failed.emit(as_digitpad_error(error)),
        )

    def _show_lines(self, result: tuple[list[RunLines], list[SettingDifference], CurveAxis, float]) -> None:
        lines, differing, axis, until = result
        if {line.id for line in lines} != set(self.colours):
            return  # other runs are selected by now
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
        self._over.setToolTip("The x axis of the curves")
        self._over.edited.connect(self._redraw)
        self._logarithmic = named(Check("Log"), "runs_logarithmic")
        self._logarithmic.setChecked(True)
        self._logarithmic.setMinimumHeight(6 * SPACE)
        self._logarithmic.setToolTip("The loss on a logarithmic scale")
        self._logarithmic.edited.connect(self._set_logarithmic)
        self._smoothing = named(QSlider(Qt.Orientation.Horizontal), "runs_smoothing")
        self._smoothing.setRange(0, len(_SPANS) - 1)
        self._smoothing.setPageStep(3)
        self._smoothing.setValue(_SPANS.index(30))
        self._smoothing.setAccessibleName("Smoothing")
        self._smoothing.setToolTip("Average the training loss over this many steps; the raw loss stays faint behind it")
        self._smoothing.setMinimumWidth(70)
        self._smoothing.setMaximumWidth(180)
        self._smoothing.valueChanged.connect(self._smooth)
        self._span = ReservedLabel("caption", "runs_span", ("1000 steps",))
        self._whole = link("Show all", "runs_whole", "Show the whole curves (Home, or a double click)")
        self._whole.setEnabled(False)
        self._whole.clicked.connect(self._show_all)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        row.addWidget(self._over)
        row.addWidget(self._logarithmic)
        row.addSpacing(SPACE)
        smoothing = make_label("Smoothing", "soft")
        explain(smoothing, "smoothing")
        row.addWidget(smoothing)
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
        self._values = prepare_table(named(QTableView(), "comparison_table"), "Values and different settings")
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

    # The controls.

    def _smooth(self, place: int) -> None:
        span = _SPANS[place]
        self._span.set_text("none" if span == 1 else f"{span} steps")
        if self.lines:
            self._redraw()

    def _show_all(self) -> None:
        if self._plots is not None:
            self._plots.show_all()

    def _set_logarithmic(self) -> None:
        if self._plots is not None:
            self._plots.set_logarithmic(self._logarithmic.value())

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        """Import matplotlib when the curves are first shown, not earlier."""
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
    """Return where the axis ends for a run: its last point, or its planned end during training."""
    lasts = [curve.x[-1] for curve in (line.raw, *line.scores.values()) if curve.x.size]
    return float(max([1e-6, *lasts, *([line.planned] if live else [])]))
