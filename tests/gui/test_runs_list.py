from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.gui.runs_list import MAX_RUNS
from digitpad.gui.window import Window
from tests.gui.hand import find
from tests.gui.shown_runs import action, open_runs
from tests.training.made_runs import made_run


def test_no_more_are_shown_than_can_be_told_apart(qtbot: QtBot, window: Window) -> None:
    """It says so."""
    made = [made_run() for _ in range(MAX_RUNS + 2)]
    runs = open_runs(qtbot, window)
    runs.runs.choose(*(run.id for run in made))
    qtbot.waitUntil(lambda: len(runs.curves.lines) == MAX_RUNS)
    assert find(runs, QLabel, "runs_message").text() == "The first 8 of 10 are shown"


def test_name_is_typed_into_the_list(qtbot: QtBot, window: Window) -> None:
    """F2, the name, Enter: it stands on disk, and then in the list."""
    run = made_run("one")
    runs = open_runs(qtbot, window, run)
    action(runs, "Rename").trigger()
    editor = find(find(runs, QTableView, "runs_table"), QLineEdit)
    editor.setText("mine")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: runs.runs.model.entries[0].name == "mine")
    assert run.name == "mine"
