"""Table of groups of drawings, such as digits or writers: number of drawings and accuracy; one row is selected."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QItemSelectionModel, QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem

from digitpad.evaluation.own_digit_scores import GroupScore
from digitpad.gui.my_digits.wording import describe_score, drawings_of
from digitpad.gui.widgets.table_items import prepare_table, set_headings
from digitpad.gui.widgets.text_size import follow_text_size, scaled
from digitpad.number_format import format_count, format_percent

_ROW_PX = 24


@dataclass(frozen=True)
class Group:
    """Row of the table. ``key`` is what it stands for, None for all; ``score`` is None while it is unknown."""

    key: object
    name: str
    n: int
    score: GroupScore | None = None


class GroupTable(QTableWidget):
    """Groups with their number of drawings and the share that is read correctly."""

    chosen = Signal()

    def __init__(self, title: str, name: str) -> None:
        super().__init__(0, 3)
        self.setObjectName(name)
        prepare_table(self, title)
        self._groups: tuple[Group, ...] = ()
        set_headings(self, (title, "Count", "Right"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        follow_text_size(self, lambda: self.verticalHeader().setDefaultSectionSize(scaled(_ROW_PX)))
        self.currentCellChanged.connect(lambda row, *_: self.chosen.emit() if row >= 0 else None)

    @property
    def key(self) -> object:
        """Key of the selected group; None for all."""
        row = self.currentRow()
        return self._groups[row].key if 0 <= row < len(self._groups) else None

    @property
    def groups(self) -> tuple[Group, ...]:
        """The rows."""
        return self._groups

    def choose(self, key: object) -> None:
        """Select a group; the first one if there is no such group."""
        keys = [group.key for group in self._groups]
        row = keys.index(key) if key in keys else 0
        self.setCurrentCell(
            row, 0, QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        )

    def set_groups(self, groups: Sequence[Group]) -> None:
        """Show groups; the selected one stays selected, if it is still there."""
        if tuple(groups) == self._groups:
            return
        key = self.key
        self.blockSignals(True)
        self._groups = tuple(groups)
        self.setRowCount(len(groups))
        for row, group in enumerate(groups):
            score = "–" if group.score is None else format_percent(group.score.accuracy, 0)
            tip = group.name if group.score is None else f"{group.name}: {describe_score(group.score)}"
            for column, text in enumerate((group.name, format_count(group.n), score)):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setData(
                    Qt.ItemDataRole.AccessibleTextRole, f"{tip}, {drawings_of(group.n)}" if not column else text
                )
                self.setItem(row, column, item)
        self.choose(key)
        self.blockSignals(False)
        if self.key != key:
            self.chosen.emit()

    # Qt overrides.

    def sizeHint(self) -> QSize:
        """Return the size of all rows, as far as there is room."""
        height = (
            self.horizontalHeader().sizeHint().height() + len(self._groups) * self.verticalHeader().defaultSectionSize()
        )
        return QSize(super().sizeHint().width(), height + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(180), self.horizontalHeader().sizeHint().height() + 3 * scaled(_ROW_PX))
