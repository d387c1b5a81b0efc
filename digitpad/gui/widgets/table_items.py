"""What all tables have in common: calm rows without a grid, chosen as a whole, and one stop for Tab."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

_T = TypeVar("_T", bound=QTableView)


def prepare_table(table: _T, words: str) -> _T:
    """The same table, made to look and behave so; ``words`` is what assistive tools call it."""
    table.setAccessibleName(words)
    table.setProperty("calm", True)
    header = table.horizontalHeader()
    header.style().unpolish(header)  # a table that was made with its columns has been styled without
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
