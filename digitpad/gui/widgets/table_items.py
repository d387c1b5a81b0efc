"""Common style of tables: no grid, selection of whole rows, and a single tab stop."""

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QTableWidget, QTableWidgetItem

_T = TypeVar("_T", bound=QTableView)


def prepare_table(table: _T, words: str) -> _T:
    """Apply the common style to a table and return it; ``words`` is its accessible name."""
    table.setAccessibleName(words)
    table.setProperty("calm", True)
    header = table.horizontalHeader()
    # If a table was created with columns, Qt has already styled its header without this property.
    header.style().unpolish(header)
    header.style().polish(header)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setCornerButtonEnabled(False)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(26)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return table


def set_headings(table: QTableWidget, headings: Sequence[str]) -> None:
    """Set the headings of a table; all but the first one are above numbers, and on the right."""
    for column, text in enumerate(headings):
        item = QTableWidgetItem(text)
        if column:
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        table.setHorizontalHeaderItem(column, item)
