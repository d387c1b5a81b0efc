from pathlib import Path

import pytest
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.runs.runs_window import RunsWindow
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.file_dialogs import FileDialogs
from tests.unit.gui.hand import EVALUATE, find, menu_action
from tests.unit.training.made_runs import made_run


def test_runs_are_reported_from_their_window(
    qtbot: QtBot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The menu asks for a file, and the message says that it was saved."""
    run = made_run("mine")
    path = tmp_path / "mine.html"
    monkeypatch.setattr(FileDialogs, "to_save", lambda *_: path)
    window.companions.show_runs()
    runs = find(window, RunsWindow)
    qtbot.waitUntil(lambda: len(runs.runs.chosen()) == 1)
    next(action for action in runs.menu.actions() if action.text().startswith("Save re")).trigger()
    qtbot.waitUntil(lambda: window.session.message.startswith("Saved mine.html"))
    assert f"<h1>Training of {run.name}</h1>" in path.read_text("utf-8")
    runs.close()


def test_nothing_to_report_is_said(window: Window) -> None:
    """Before the first evaluation, and before the first training."""
    menu_action(window, "Save evaluation report").trigger()
    assert window.session.message == "Evaluate first; the report is about the result"
    menu_action(window, "Save training report").trigger()
    assert window.session.message == "Train first; the report is about the run"


def test_a_diagram_is_copied_as_a_picture(window: Window) -> None:
    """Its context menu puts it on the clipboard."""
    window.show_page(EVALUATE)
    diagram = window.page(EvaluateTab).diagram
    find(diagram, QAction, "copy_picture").trigger()
    assert QGuiApplication.clipboard().pixmap().size() == diagram.grab().size()
    assert isinstance(diagram, QWidget)
