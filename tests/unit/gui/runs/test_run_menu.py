import os
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.errors import RunError
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.runs.run_menu import to_trash
from digitpad.gui.session import TrainingState
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.runs.run import Run, RunStatus, all_runs, runs_folder
from digitpad.runs.run_log import RunLog
from digitpad.training.trainer import DivergedError, Trainer
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import TRAIN, find
from tests.unit.gui.shown_runs import TRAINING_MS, action, fake_dataset, open_runs, trained
from tests.unit.training.made_runs import made_run


@pytest.fixture(autouse=True)
def own_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


@pytest.mark.parametrize(
    ("status", "goes_on"),
    [
        (RunStatus.PAUSED, True),
        (RunStatus.CUT_OFF, True),
        (RunStatus.STOPPED, True),
        (RunStatus.FINISHED, False),
        (RunStatus.DIVERGED, True),
    ],
)
def test_actions_depend_on_the_status_of_a_run(qtbot: QtBot, window: Window, status: RunStatus, goes_on: bool) -> None:
    """Actions depend on the status of a run, and no training action is enabled during training."""
    runs = open_runs(qtbot, window, made_run(status=status))
    button = find(runs, QPushButton, "runs_go_on")
    assert button.isEnabled() == action(runs, "Resume").isEnabled() == goes_on
    assert action(runs, "Train for").isEnabled() == (status is not RunStatus.DIVERGED)
    window.session.set_training(TrainingState.RUNNING)
    assert not button.isEnabled()
    for text in ("Resume", "Train for", "Use its settings"):
        assert not action(runs, text).isEnabled()
    for text in ("Use in the Draw", "Rename", "Save weights", "Export", "Open", "Move"):
        assert action(runs, text).isEnabled()
    window.session.set_training(TrainingState.IDLE)


def test_several_runs_are_exported_and_deleted_together(qtbot: QtBot, window: Window) -> None:
    """Only export, open and delete work for several runs."""
    runs = open_runs(qtbot, window, made_run(), made_run())
    for text in ("Resume", "Train for", "Use in the Draw", "Use its settings", "Rename", "Save weights"):
        assert not action(runs, text).isEnabled()
    for text in ("Export", "Open", "Move"):
        assert action(runs, text).isEnabled()


def test_run_is_resumed_in_the_train_tab(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run resumes from its last checkpoint to its end; no other run can be resumed meanwhile."""
    run = trained(50)
    fake_dataset(monkeypatch)
    runs = open_runs(qtbot, window, run)
    with qtbot.waitSignal(window.session.resume_requested) as asked:
        qtbot.mouseClick(find(runs, QPushButton, "runs_go_on"), Qt.MouseButton.LeftButton)
    assert asked.args is not None
    assert (asked.args[0].id, asked.args[1]) == (run.id, {})
    assert window.page(TrainTab).state is TrainingState.RUNNING
    assert window.page(TrainTab).isVisible()
    assert not action(runs, "Resume").isEnabled()
    qtbot.waitUntil(lambda: window.page(TrainTab).state is TrainingState.DONE, timeout=TRAINING_MS)
    qtbot.waitUntil(lambda: runs.runs.model.entries[0].summary.status is RunStatus.FINISHED)
    assert runs.runs.model.entries[0].summary.step == 120
    assert len(all_runs()) == 1


def test_diverged_run_is_resumed_at_a_lower_rate(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A diverged run asks for a valid learning rate and resumes from its last good checkpoint."""
    learn = Trainer._learn
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_learn", lambda self, *batch: np.nan if self.step == 60 else learn(self, *batch))
        with pytest.raises(DivergedError):
            trained(optimizer__learning_rate=0.1)
    fake_dataset(monkeypatch)
    (run,) = all_runs()
    assert run.summary().status is RunStatus.DIVERGED
    runs = open_runs(qtbot, window, run)
    action(runs, "Resume").trigger()
    qtbot.waitUntil(lambda: runs.findChild(QInputDialog, "lower_rate") is not None)
    dialog = find(runs, QInputDialog, "lower_rate")
    assert dialog.textValue() == "0.03"
    dialog.setTextValue("0,03 or so")
    dialog.accept()
    assert dialog.isVisible()
    assert dialog.textValue() == "0,03 or so"
    assert "enter a number" in dialog.labelText()
    dialog.setTextValue("0.03")
    dialog.accept()
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: window.page(TrainTab).state is TrainingState.DONE, timeout=TRAINING_MS)
    assert (run.summary().status, run.summary().step) == (RunStatus.FINISHED, 120)
    assert [(change.step, change.settings) for change in run.history().changes] == [
        (40, {"optimizer.learning_rate": 0.03})
    ]


def test_finished_run_can_be_trained_further(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finished run trains for the entered number of epochs without early stopping."""
    run = trained(training__epochs=1)
    fake_dataset(monkeypatch)
    runs = open_runs(qtbot, window, run)
    action(runs, "Train for").trigger()
    dialog = find(runs, QInputDialog, "train_on")
    assert "has trained for 1 epoch." in dialog.labelText()
    dialog.setIntValue(2)
    with qtbot.waitSignal(window.session.resume_requested) as asked:
        dialog.accept()
    assert asked.args is not None
    assert asked.args[1] == {"training.epochs": 3, "training.patience": 0}
    qtbot.waitUntil(lambda: window.page(TrainTab).state is TrainingState.DONE, timeout=TRAINING_MS)
    summary = run.summary()
    assert (summary.status, summary.epoch, summary.step) == (RunStatus.FINISHED, 3, 120)


def test_weights_of_a_run_are_used_and_saved(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The weights of a run can be used in the Draw tab and saved to a file."""
    run = trained(training__epochs=1)
    runs = open_runs(qtbot, window, run)
    window.show_page(TRAIN)
    with qtbot.waitSignal(window.session.network_changed):
        qtbot.mouseClick(find(runs, QPushButton, "runs_use"), Qt.MouseButton.LeftButton)
    assert window.session.weights.about["recipe"]["name"] == "small"
    assert window.page(DrawTab).isVisible()
    assert window.session.preferences.recent_networks == [str(run.weights_path.resolve())]
    saved: list[Weights] = []
    monkeypatch.setattr(FileDialogs, "to_save", lambda *_: None)
    window.session.save_requested.connect(saved.append)
    with qtbot.waitSignal(window.session.save_requested):
        action(runs, "Save weights").trigger()
    assert saved[-1].parameters.tobytes() == window.session.weights.parameters.tobytes()


def test_unreadable_weights_are_reported(qtbot: QtBot, window: Window) -> None:
    """The error names the file, and the network in use stays."""
    run = made_run()
    run.weights_path.write_text("none")
    runs = open_runs(qtbot, window, run)
    before = window.session.weights
    action(runs, "Use in the Draw").trigger()
    qtbot.waitUntil(lambda: runs.findChild(QMessageBox, "problem") is not None)
    box = find(runs, QMessageBox, "problem")
    assert run.weights_path.name in box.informativeText()
    box.close()
    assert window.session.weights is before


def test_settings_are_copied_to_the_train_tab(qtbot: QtBot, window: Window) -> None:
    """The form gets the final settings of the run, including changes during training."""
    run = made_run("mine", loss__l2=0.25)
    log = RunLog(run.log_path)
    log.add("change", step=9, settings={"optimizer.learning_rate": 0.02})
    log.add("change", step=11, settings={"optimizer.learning_rate": 0.004})
    log.close()
    runs = open_runs(qtbot, window, run)
    with qtbot.waitSignal(window.session.recipe_requested):
        action(runs, "Use its settings").trigger()
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert (recipe.loss.l2, recipe.optimizer.learning_rate) == (0.25, 0.004)
    assert recipe.network.hidden == (32,)
    assert window.page(TrainTab).isVisible()


@pytest.mark.parametrize("suffix", ["png", "svg", "csv"])
def test_run_is_exported(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    """Runs are exported to the chosen file, in the format of its suffix."""
    runs = open_runs(qtbot, window, made_run())
    path = tmp_path / f"run.{suffix}"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: self.selectFile(str(path)) or 1)
    qtbot.mouseClick(find(runs, QPushButton, "runs_export"), Qt.MouseButton.LeftButton)
    message = find(runs, QLabel, "runs_message")
    qtbot.waitUntil(lambda: message.accessibleName() == f"Saved run.{suffix}")
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "csv": b"step,"}[suffix]
    assert path.read_bytes().startswith(begin)


@pytest.mark.parametrize("name", ["runs.txt", "runs.csv", "none/runs.png"])
def test_impossible_export_is_reported(qtbot: QtBot, window: Window, tmp_path: Path, name: str) -> None:
    """An unknown suffix, a table of several runs or a missing folder gives an error."""
    runs = open_runs(qtbot, window, made_run(), made_run())
    runs.menu.export(tmp_path / name)
    qtbot.waitUntil(lambda: runs.findChild(QMessageBox, "problem") is not None)
    find(runs, QMessageBox, "problem").close()
    assert not (tmp_path / name).exists()


def test_folder_is_opened(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the run is opened."""
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    run = made_run()
    action(open_runs(qtbot, window, run), "Open run folder").trigger()
    assert [Path(name) for name in opened] == [run.folder]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="needs a trash of the test's own")
def test_runs_are_moved_to_the_trash(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """After confirmation, runs are moved to the trash and leave the list and the plots."""
    one, two, kept = made_run("one"), made_run("two"), made_run("kept")
    runs = open_runs(qtbot, window, one, two)
    action(runs, "Move").trigger()
    box = find(runs, QMessageBox, "deleting")
    assert "2 runs" in box.text()
    assert box.defaultButton().text() == "Keep"
    box.reject()
    assert one.folder.exists()
    QApplication.processEvents()
    action(runs, "Move").trigger()
    box = runs.findChildren(QMessageBox, "deleting")[-1]
    box.accept()
    qtbot.waitUntil(lambda: [entry.id for entry in runs.runs.model.entries] == [kept.id])
    qtbot.waitUntil(lambda: not runs.curves.lines)
    assert sorted(path.name for path in (tmp_path / "data" / "Trash" / "files").iterdir()) == sorted([one.id, two.id])
    assert [path.name for path in runs_folder().iterdir()] == [kept.id]


def test_run_in_training_is_not_moved_to_the_trash() -> None:
    """A run that is in training can't be moved to the trash."""
    run = made_run()
    run.lock()
    with pytest.raises(RunError, match="in training"):
        to_trash(Run.open(run.folder))
    run.unlock()
    assert run.folder.exists()


def test_context_menu_has_the_actions_of_runs(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The context menu opens at the clicked position."""
    runs = open_runs(qtbot, window, made_run())
    places: list[QPoint] = []
    monkeypatch.setattr(runs.menu, "popup", places.append)
    find(runs, QTableView, "runs_table").customContextMenuRequested.emit(QPoint(10, 10))
    assert places == [find(runs, QTableView, "runs_table").viewport().mapToGlobal(QPoint(10, 10))]
