from PySide6.QtWidgets import QTableView, QTableWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.widgets.table_items import prepare_table
from digitpad.gui.widgets.theme import Mode, Theme


def test_headers_have_the_same_height(qtbot: QtBot, theme: Theme) -> None:
    """Headers have the same height for tables created with and without columns."""
    theme.set_mode(Mode.LIGHT)
    with_columns, without = QTableWidget(2, 3), QTableView()
    for table in (with_columns, without):
        qtbot.addWidget(table)
        prepare_table(table, "A table")
    without.setModel(with_columns.model())
    heights = []
    for table in (with_columns, without):
        table.show()
        heights.append(table.horizontalHeader().height())
    assert heights[0] == heights[1]
    theme.set_mode(Mode.SYSTEM)
