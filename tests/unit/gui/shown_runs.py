"""Helpers that open the Runs window and create runs for it."""

from typing import Any

import pytest
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from digitpad.gui.runs.runs_window import RunsWindow
from digitpad.gui.shell.window import Window
from digitpad.runs.recorder import Recorder
from digitpad.runs.run import Run, all_runs
from digitpad.training.events import StepDone
from digitpad.training.trainer import Trainer
from tests.unit.training.small import small_dataset, small_recipe

TRAINING_MS = 60_000


def open_runs(qtbot: QtBot, window: Window, *chosen: Run) -> RunsWindow:
    """Return the Runs window after it shows these runs, or the latest run if none is given."""
    window.companions.show_runs()
    runs = window.companions.runs_window
    n_runs = len(all_runs())
    qtbot.waitUntil(lambda: len(runs.runs.model.entries) == n_runs)
    ids = [run.id for run in chosen] or [entry.id for entry in runs.runs.model.entries[:1]]
    if chosen:
        runs.runs.choose(*ids)
    qtbot.waitUntil(lambda: sorted(line.id for line in runs.curves.lines) == sorted(ids))
    return runs


def action(runs: RunsWindow, text: str) -> QAction:
    (found,) = [one for one in runs.findChildren(QAction) if one.text().replace("&", "").startswith(text)]
    return found


def trained(n_steps: int | None = None, **settings: Any) -> Run:
    """Return a trained run: finished, or paused after ``n_steps`` steps."""
    dataset, recipe = small_dataset(), small_recipe(**settings)
    with Recorder(Trainer(recipe, dataset), Run.create(recipe, dataset, 1), dataset) as recorder:
        for progress in recorder.train():
            if isinstance(progress, StepDone) and progress.step == n_steps:
                recorder.pause()
                break
        else:
            list(recorder.conclude())
    assert recorder.run is not None
    return recorder.run


def fake_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the dataset of `trained` when a run is resumed in the window."""
    monkeypatch.setattr("digitpad.gui.train.training_task.load_training_data", lambda recipe, made: small_dataset())
