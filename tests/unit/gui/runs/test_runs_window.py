import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QLabel,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.gui.runs import runs_window as module
from digitpad.gui.runs.run_plots import RunPlots
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.form_widgets import WordChoice
from digitpad.runs.run import Run, RunStatus, all_runs
from digitpad.runs.run_log import RunLog
from tests.unit.gui.hand import find
from tests.unit.gui.shown_runs import action, open_runs
from tests.unit.training.made_runs import made_run


def test_hint_is_shown_without_runs(qtbot: QtBot, window: Window) -> None:
    """Without runs there is a hint, and all actions are disabled."""
    window.companions.show_runs()
    runs = window.companions.runs_window
    qtbot.waitUntil(find(runs, QLabel, "no_runs").isVisible)
    assert not find(runs, QTableView, "runs_table").isVisible()
    for text in ("Resume", "Train for", "Use in", "Use its", "Rename", "Save weights", "Export", "Open", "Move"):
        assert not action(runs, text).isEnabled()


def test_latest_run_is_shown_first(qtbot: QtBot, window: Window) -> None:
    """Ctrl+R opens the Runs window with the latest run selected."""
    made_run("one")
    run = made_run("two")
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    runs = open_runs(qtbot, window)
    assert runs.isVisible()
    assert runs.isWindow()
    assert not runs.isModal()
    assert [entry.id for entry in runs.runs.chosen()] == [run.id]
    window.companions.show_runs()
    assert window.companions.runs_window is runs


def test_unreadable_run_is_named(qtbot: QtBot, window: Window) -> None:
    """A run whose description is damaged is named below the list, and the others are shown."""
    good, bad = made_run("good"), made_run("bad")
    (bad.folder / "run.json").write_text('{"date": 5}')
    runs = open_runs(qtbot, window, good)
    assert [entry.id for entry in runs.runs.chosen()] == [good.id]
    assert f"Unreadable run: {bad.folder / 'run.json'}" in find(runs, QLabel, "runs_message").accessibleName()


def test_run_in_another_process_is_polled_until_it_ends(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in another process is polled in a thread until it ends."""
    run = made_run(n_epochs=1, status=RunStatus.RUNNING)
    run.lock()
    monkeypatch.setattr(module, "REFRESH_MS", 10)
    runs = open_runs(qtbot, window, run)
    assert runs.is_polling
    assert not action(runs, "Train for").isEnabled()
    assert not action(runs, "Move").isEnabled()
    plots = find(runs, RunPlots, "run_plots")
    assert plots.losses.get_xlim() == (0, 12)
    log = RunLog(run.log_path)
    log.add("steps", first=5, losses=[0.25, 0.125], seconds=2.0)
    log.close()
    qtbot.waitUntil(lambda: [len(line.raw.x) for line in runs.curves.lines] == [6])
    threads: set[int] = set()
    monkeypatch.setattr(Run, "summary", _noting(Run.summary, threads))
    qtbot.waitUntil(lambda: len(threads) > 0)
    assert threading.get_ident() not in threads
    run.unlock()
    qtbot.waitUntil(lambda: runs.runs.model.entries[0].summary.status is RunStatus.CUT_OFF)
    assert not runs.is_polling
    qtbot.waitUntil(lambda: plots.losses.get_xlim() == (0, 6))


def _noting(summary: Any, threads: set[int]) -> Any:
    def noted(self: Run) -> Any:
        threads.add(threading.get_ident())
        return summary(self)

    return noted


def test_keys_work_in_the_runs_window(qtbot: QtBot, window: Window) -> None:
    """Shortcuts work in the Runs window, and Tab moves from the list to the curves and the values."""
    runs = open_runs(qtbot, window, made_run())
    assert runs.focusWidget() is find(runs, QTableView, "runs_table")
    names = []
    for _ in range(10):
        names.append(runs.focusWidget().objectName())
        qtbot.keyClick(runs.focusWidget(), Qt.Key.Key_Tab)
    wanted = ["runs_table", "runs_use", "runs_axis", "runs_smoothing", "run_plots", "comparison_table"]
    assert [name for name in names if name in wanted][: len(wanted)] == wanted
    qtbot.keyClick(runs, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert find(runs, WordChoice, "runs_axis").value() == "time"
    qtbot.keyClick(runs, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert find(runs, WordChoice, "runs_axis").value() == "epoch"


def test_closed_window_can_be_opened_again(qtbot: QtBot, window: Window) -> None:
    """A closed Runs window opens again with its size and with new runs; its thread ends with the main window."""
    made_run()
    runs = open_runs(qtbot, window)
    runs.resize(1040, 640)
    runs.close()
    assert not runs.is_polling
    made_run()
    assert open_runs(qtbot, window, *all_runs()) is runs
    assert (runs.width(), runs.height()) == (1040, 640)
    window.close()
    assert not runs.isVisible()
    assert not [thread for thread in threading.enumerate() if thread.name == "runs"]
