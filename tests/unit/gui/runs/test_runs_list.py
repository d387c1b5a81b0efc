from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.runs_list import MAX_RUNS
from digitpad.gui.runs.runs_table import COLUMNS
from digitpad.gui.shell.window import Window
from tests.unit.gui.hand import find
from tests.unit.gui.shown_runs import action, open_runs
from tests.unit.training.made_runs import made_run


def test_number_of_shown_runs_is_limited(qtbot: QtBot, window: Window) -> None:
    """Only the first runs are shown, and a message says so."""
    all_made = [made_run() for _ in range(MAX_RUNS + 2)]
    runs = open_runs(qtbot, window)
    runs.runs.choose(*(run.id for run in all_made))
    qtbot.waitUntil(lambda: len(runs.curves.lines) == MAX_RUNS)
    assert find(runs, QLabel, "runs_message").text() == "Showing the first 8 of 10 runs"
    runs.runs.choose(all_made[0].id)
    assert find(runs, QLabel, "runs_message").text() == ""


def test_columns_fit_their_texts(qtbot: QtBot, window: Window) -> None:
    """In the smallest window, columns fit their texts, and headers are aligned with their cells."""
    runs = open_runs(qtbot, window, made_run())
    runs.resize(runs.minimumSize())
    table, header = runs.runs.table, runs.runs.table.horizontalHeader()
    for column, name in enumerate(COLUMNS):
        room = table.columnWidth(column) - 12
        text = runs.runs.model.index(0, column).data()
        assert table.fontMetrics().horizontalAdvance(text) <= room, name
        assert header.fontMetrics().horizontalAdvance(name) <= room, name
        align = Qt.ItemDataRole.TextAlignmentRole
        index = runs.runs.model.index(0, column)
        assert index.data(align) == runs.runs.model.headerData(column, Qt.Orientation.Horizontal, align)
    list_, curves = (QRect(widget.mapTo(runs, QPoint(0, 0)), widget.size()) for widget in (runs.runs, runs.curves))
    assert list_.right() + 12 < curves.left()
    assert curves.right() <= runs.width() - 12


def test_run_can_be_renamed_in_the_list(qtbot: QtBot, window: Window) -> None:
    """A name typed in the list is saved and then shown."""
    run = made_run("one")
    runs = open_runs(qtbot, window, run)
    action(runs, "Rename").trigger()
    editor = find(find(runs, QTableView, "runs_table"), QLineEdit)
    editor.setText("mine")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: runs.runs.model.entries[0].name == "mine")
    assert run.name == "mine"
