"""Card with the table of runs and their selection, or a hint if there are no runs."""

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QVBoxLayout

from digitpad.gui.runs.runs_table import RunsModel, SortedRuns
from digitpad.gui.widgets.basics import SPACE, make_label, named
from digitpad.gui.widgets.table_items import prepare_table
from digitpad.plotting.palette import LINE_COLOURS
from digitpad.runs.run_registry import RunEntry

MAX_RUNS = len(LINE_COLOURS)


class RunsList(QFrame):
    """Table of runs with a selection."""

    chosen_changed = Signal()
    menu_requested = Signal(QPoint)  # position on the screen

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runs_card")
        self.setProperty("card", True)
        self.model = RunsModel()
        self._sorted = SortedRuns(self.model)
        self.table = prepare_table(named(QTableView(), "runs_table"), "Runs")
        self.table.setModel(self._sorted)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(5, Qt.SortOrder.DescendingOrder)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(
            lambda at: self.menu_requested.emit(self.table.viewport().mapToGlobal(at))
        )
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(12 * self.table.fontMetrics().averageCharWidth())  # otherwise names get no room
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.chosen_changed.emit())
        self._empty = make_label("No runs yet.\nEach run of the Train tab appears here.", "soft", "no_runs")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.hide()
        inside = QVBoxLayout(self)
        inside.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        inside.addWidget(self.table, 1)
        inside.addWidget(self._empty, 1)

    def chosen(self) -> list[RunEntry]:
        """Return the selected runs from top to bottom, at most `MAX_RUNS`, as there are no more line colours."""
        return [self._sorted.entry(row) for row in sorted(self._selected(), key=QModelIndex.row)][:MAX_RUNS]

    @property
    def n_selected(self) -> int:
        """Number of selected rows, which may be more than `MAX_RUNS`."""
        return len(self._selected())

    def choose(self, *ids: str) -> None:
        """Select the runs with these ids and no others."""
        model, chosen = self.table.selectionModel(), QItemSelection()
        for index in self._indexes(*ids):
            chosen.select(index, index)
            model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        model.select(chosen, flags)

    def set_entries(self, entries: Sequence[RunEntry]) -> None:
        """Show runs; select the latest if the list was empty before."""
        is_first = not self.model.entries
        self.model.set_entries(entries)
        if is_first and entries:
            self.choose(entries[0].id)
        self._empty.setVisible(not entries)
        self.table.setVisible(bool(entries))

    def edit_name(self, entry: RunEntry) -> None:
        """Start to edit the name of a run in the table."""
        for index in self._indexes(entry.id):
            self.table.setCurrentIndex(index)
            self.table.edit(index)

    def _selected(self) -> list[QModelIndex]:
        return self.table.selectionModel().selectedRows()

    def _indexes(self, *ids: str) -> list[QModelIndex]:
        indexes = [self._sorted.index(row, 0) for row in range(self._sorted.rowCount())]
        return [index for index in indexes if self._sorted.entry(index).id in ids]
