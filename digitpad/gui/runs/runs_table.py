"""Table model of runs; it supports sorting, renaming and updates that keep the selection."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal

from digitpad.gui.widgets.basics import dot_icon
from digitpad.number_format import format_percent
from digitpad.runs.run import RunStatus
from digitpad.runs.run_comparison import format_duration
from digitpad.runs.run_registry import RunEntry

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("Name", "Recipe", "Status", "Test accuracy", "Time", "Started")
SORT_ROLE = Qt.ItemDataRole.UserRole
_NAME, _RECIPE, _STATUS, _ACCURACY, _TIME, _STARTED = range(len(COLUMNS))
_ROOT = QModelIndex()


class RunsModel(QAbstractTableModel):
    """Table model with a row for each run, in the order of the registry."""

    renamed = Signal(object, str)  # RunEntry and its new name

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[RunEntry] = []
        self._colours: dict[str, str] = {}

    def set_entries(self, entries: Sequence[RunEntry]) -> None:
        """Show runs; rows that stay keep their selection and an open editor."""
        ids = {entry.id for entry in entries}
        for row in reversed(range(len(self.entries))):
            if self.entries[row].id not in ids:
                self.beginRemoveRows(_ROOT, row, row)
                del self.entries[row]
                self.endRemoveRows()
        # The remaining rows are in the order of the new list, because the order of runs never changes.
        for row, entry in enumerate(entries):
            if row < len(self.entries) and self.entries[row].id == entry.id:
                if self.entries[row] != entry:
                    self.entries[row] = entry
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))
            else:
                self.beginInsertRows(_ROOT, row, row)
                self.entries.insert(row, entry)
                self.endInsertRows()

    def set_colours(self, colours: dict[str, str]) -> None:
        """Set the line colours of runs by id."""
        if colours != self._colours:
            self._colours = colours
            if self.entries:
                last = self.index(len(self.entries) - 1, _NAME)
                self.dataChanged.emit(self.index(0, _NAME), last, [Qt.ItemDataRole.DecorationRole])

    # Qt overrides.

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | (
            Qt.ItemFlag.ItemIsEditable if index.column() == _NAME else Qt.ItemFlag.NoItemFlags
        )

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self.entries[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.EditRole:
                return _text(entry, column)
            case Qt.ItemDataRole.ToolTipRole:
                started = f"Started {entry.run.started:%Y-%m-%d %H:%M}"
                validation = entry.summary.validation_accuracy
                scored = "" if validation is None else f"Validation accuracy {format_percent(validation, 2)}"
                return "\n".join(filter(None, [entry.name, entry.id, started, scored, entry.summary.problem]))
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.DecorationRole if column == _NAME:
                return dot_icon(self._colours.get(entry.id, "transparent"))
        return _order(entry, column) if role == SORT_ROLE else None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        entry, name = self.entries[index.row()], str(value).strip()
        if not name or name == entry.name:
            return False
        self.renamed.emit(entry, name)
        return False  # the new name is shown once it is saved to disk


class SortedRuns(QSortFilterProxyModel):
    """Proxy model that sorts runs by the column that the user chose."""

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)
        self._model = model

    def entry(self, index: Index) -> RunEntry:
        """Return the run in the row of an index."""
        return self._model.entries[self.mapToSource(index).row()]

    def lessThan(self, left: Index, right: Index) -> bool:
        return bool(left.data(SORT_ROLE) < right.data(SORT_ROLE))


def _alignment(column: int) -> Qt.AlignmentFlag:
    """Return the alignment of a column and its header: numbers on the right, text on the left."""
    side = Qt.AlignmentFlag.AlignRight if column in (_ACCURACY, _TIME) else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _text(entry: RunEntry, column: int) -> str:
    summary = entry.summary
    match column:
        case 0:
            return entry.name
        case 1:
            return entry.run.recipe.name
        case 2:
            done = summary.status is RunStatus.FINISHED
            status = summary.status.label
            return status if done else f"{status} {summary.epoch}/{summary.n_epochs}"
        case 3:
            accuracy = entry.summary.test_accuracy
            return "–" if accuracy is None else format_percent(accuracy, 2)
        case 4:
            return format_duration(summary.seconds)
    return f"{entry.run.started:%m-%d %H:%M}"


def _order(entry: RunEntry, column: int) -> str | float | datetime:
    match column:
        case 3:
            accuracy = entry.summary.test_accuracy
            return -1.0 if accuracy is None else accuracy
        case 4:
            return entry.summary.seconds
        case 5:
            return entry.run.started
    return _text(entry, column).casefold()
