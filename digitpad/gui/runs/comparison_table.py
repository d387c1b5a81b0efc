"""Comparison table with a column for each run: values at a position of the curves, then settings that differ."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from digitpad.gui.widgets.basics import dot_icon
from digitpad.gui.widgets.setting_labels import SETTING_LABELS
from digitpad.number_format import format_count, format_percent
from digitpad.runs.run_comparison import CurveAxis, RunLines, SettingDifference, format_duration, value_at

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_VALUES = ("Training loss", "Validation loss", "Training accuracy", "Validation accuracy")


class ComparisonModel(QAbstractTableModel):
    """Table model with the row names in the first column and a column for each run."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[RunLines] = ()
        self._colours: Sequence[str] = ()
        self._differences: Sequence[SettingDifference] = ()
        self._axis = CurveAxis.STEP
        self._x: float | None = None

    def set_runs(
        self,
        lines: Sequence[RunLines],
        colours: Sequence[str],
        differences: Sequence[SettingDifference],
        axis: CurveAxis,
    ) -> None:
        """Compare these runs, each marked with its colour."""
        same = len(lines) == len(self._lines) and list(differences) == list(self._differences)
        if not same:
            self.beginResetModel()
        self._lines, self._colours, self._differences, self._axis = lines, colours, differences, axis
        if not same:
            self.endResetModel()
        else:
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(lines))
            self._values_changed()

    def set_place(self, x: float | None) -> None:
        """Show the values at a position on the x axis; None shows the final values."""
        self._x = x
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, 0)
        self._values_changed()

    def _values_changed(self) -> None:
        if self._lines:
            self.dataChanged.emit(self.index(0, 1), self.index(len(_VALUES) - 1, len(self._lines)))

    def _place(self) -> str:
        if self._x is None:
            return "Final values"
        match self._axis:
            case CurveAxis.STEP:
                return f"At step {format_count(round(self._x))}"
            case CurveAxis.EPOCH:
                return f"At epoch {self._x:.2f}"
        return f"At {format_duration(self._x)}"

    def _value(self, line: RunLines, row: int) -> str:
        curve = (
            line.smooth,
            line.scores["validation_loss"],
            line.scores["training_accuracy"],
            line.scores["validation_accuracy"],
        )[row]
        value = value_at(curve, float("inf") if self._x is None else self._x)
        if value is None:
            return "–"
        return format_percent(value, 2) if row > 1 else f"{value:.4f}"

    # Qt overrides.

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() or not self._lines else len(_VALUES) + len(self._differences)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() or not self._lines else 1 + len(self._lines)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or section > len(self._lines):
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._lines[section - 1].name if section else self._place()
            case Qt.ItemDataRole.ToolTipRole if section:
                return self._lines[section - 1].id
            case Qt.ItemDataRole.DecorationRole if section:
                return dot_icon(self._colours[section - 1])
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        difference = self._differences[row - len(_VALUES)] if row >= len(_VALUES) else None
        if role == Qt.ItemDataRole.ToolTipRole and difference is not None:
            return difference.texts[column - 1] if column else difference.key
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if difference is not None:
            return difference.texts[column - 1] if column else SETTING_LABELS.get(difference.key, difference.key)
        return self._value(self._lines[column - 1], row) if column else _VALUES[row]
