import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSlider,
    QTableView,
)
from pytestqt.qtbot import QtBot

from digitpad.errors import RunError
from digitpad.gui import runs_window as module
from digitpad.gui.inputs import Check, WordChoice
from digitpad.gui.menus import TRAIN
from digitpad.gui.run_plots import RunPlots
from digitpad.gui.runs_window import RunsWindow, to_trash
from digitpad.gui.train_tab import State
from digitpad.gui.window import Window
from digitpad.training.comparison import Axis, smoothed
from digitpad.training.loop import DivergedError, StepDone, Trainer
from digitpad.training.recorder import Recorder
from digitpad.training.run import Run, Status, all_runs, runs_folder
from digitpad.training.run_log import Log
from digitpad.weights.weights import Weights
from tests.gui.hand import find
from tests.training.made_runs import made_run
from tests.training.small import small_dataset, small_recipe

TRAINING_MS = 60_000


@pytest.fixture(autouse=True)
def own_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


def open_runs(qtbot: QtBot, window: Window, *chosen: Run) -> RunsWindow:
    """The window of runs with these chosen, once it shows them; without one, with the latest."""
    window.show_runs()
    runs = window.runs_window
    n_runs = len(all_runs())
    qtbot.waitUntil(lambda: len(runs.model.entries) == n_runs)
    ids = [run.id for run in chosen] or [entry.id for entry in runs.model.entries[:1]]
    if chosen:
        runs.choose(*ids)
    qtbot.waitUntil(lambda: sorted(line.id for line in runs._lines) == sorted(ids))
    return runs


def action(runs: RunsWindow, text: str) -> QAction:
    (found,) = [one for one in runs.findChildren(QAction) if one.text().replace("&", "").startswith(text)]
    return found


def trained(n_steps: int | None = None, **settings: Any) -> Run:
    """A real run: whole, or paused after so many steps."""
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
    """Let runs of `trained` be gone on with in the window."""
    monkeypatch.setattr("digitpad.gui.training_thread.dataset_of", lambda recipe, made: small_dataset())


def test_without_runs_it_says_where_they_come_from(qtbot: QtBot, window: Window) -> None:
    """And nothing can be done with none."""
    window.show_runs()
    runs = window.runs_window
    qtbot.waitUntil(find(runs, QLabel, "no_runs").isVisible)
    assert not find(runs, QTableView, "runs_table").isVisible()
    for text in ("Go on", "Train on", "Use in", "Use its", "Rename", "Save", "Export", "Open", "Move"):
        assert not action(runs, text).isEnabled()


def test_latest_run_is_shown_first(qtbot: QtBot, window: Window) -> None:
    """By the menu's key, in a window beside this one; that key again brings it forward."""
    made_run("one")
    run = made_run("two")
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    runs = open_runs(qtbot, window)
    assert runs.isVisible()
    assert runs.isWindow()
    assert not runs.isModal()
    assert [entry.id for entry in runs.chosen()] == [run.id]
    window.show_runs()
    assert window.runs_window is runs


def test_chosen_runs_are_laid_over_each_other(qtbot: QtBot, window: Window) -> None:
    """Each in its colour, which it keeps while others come and go, and what differs is told below."""
    one, two, three = made_run("one"), made_run("two", loss__l2=0.5), made_run("three")
    runs = open_runs(qtbot, window, one, two)
    colours = dict(runs._colours)
    assert len(set(colours.values())) == 2
    table = find(runs, QTableView, "comparison_table").model()
    assert [table.headerData(column, Qt.Orientation.Horizontal) for column in (1, 2)] == ["two", "one"]
    differing = [[table.index(row, column).data() for column in range(3)] for row in range(4, table.rowCount())]
    assert len(differing) == 1
    assert differing[0][1:] == ["0.5", "0.0"]
    runs.choose(one.id, three.id)
    qtbot.waitUntil(lambda: {line.id for line in runs._lines} == {one.id, three.id})
    assert runs._colours[one.id] == colours[one.id]
    assert len(set(runs._colours.values())) == 2
    assert len(find(runs, RunPlots, "run_plots")._drawn) == 10


def test_no_more_are_shown_than_can_be_told_apart(qtbot: QtBot, window: Window) -> None:
    """It says so."""
    made = [made_run() for _ in range(module.MAX_RUNS + 2)]
    runs = open_runs(qtbot, window)
    runs.choose(*(run.id for run in made))
    qtbot.waitUntil(lambda: len(runs._lines) == module.MAX_RUNS)
    assert find(runs, QLabel, "runs_message").text() == "The first 8 of 10 are shown"


def test_axis_scale_and_smoothing_are_chosen(qtbot: QtBot, window: Window) -> None:
    """And the curves follow."""
    run = made_run()
    runs = open_runs(qtbot, window, run)
    plots = find(runs, RunPlots, "run_plots")
    find(runs, WordChoice, "runs_axis").set_value("time")
    qtbot.waitUntil(lambda: plots._axis is Axis.TIME)
    assert plots._losses.get_xlim() == (0, 3.25)
    find(runs, Check, "runs_logarithmic").click()
    assert plots._losses.get_yscale() == "linear"
    slider = find(runs, QSlider, "runs_smoothing")
    with qtbot.waitSignal(runs.shown):
        slider.setValue(slider.minimum())
    assert find(runs, QLabel, "runs_span").text() == "none"
    assert runs._lines[0].smooth.y.tolist() == pytest.approx(runs._lines[0].raw.y.tolist())
    with qtbot.waitSignal(runs.shown):
        slider.setValue(3)
    assert find(runs, QLabel, "runs_span").text() == "5 steps"
    assert runs._lines[0].smooth.y.tolist() == smoothed(runs._lines[0].raw.y, 5).tolist()


def test_zoom_is_undone_by_a_button(qtbot: QtBot, window: Window) -> None:
    """Which rests while there is nothing to undo."""
    runs = open_runs(qtbot, window, made_run())
    plots, button = find(runs, RunPlots, "run_plots"), find(runs, QPushButton, "runs_whole")
    assert not button.isEnabled()
    plots.zoom(2)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not plots.zoomed
    assert not button.isEnabled()


def test_name_is_typed_into_the_list(qtbot: QtBot, window: Window) -> None:
    """F2, the name, Enter: it stands on disk, and then in the list."""
    run = made_run("one")
    runs = open_runs(qtbot, window, run)
    action(runs, "Rename").trigger()
    editor = find(find(runs, QTableView, "runs_table"), QLineEdit)
    editor.setText("mine")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: runs.model.entries[0].name == "mine")
    assert run.name == "mine"


def test_list_follows_a_run_in_training_and_rests_after_it(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process trains: its status and curve are looked at again and again, in a thread, until it ends."""
    run = made_run(n_epochs=1, status=Status.RUNNING)
    run.lock()
    monkeypatch.setattr(module, "REFRESH_MS", 10)
    runs = open_runs(qtbot, window, run)
    assert runs._timer.isActive()
    assert not action(runs, "Train on").isEnabled()
    assert not action(runs, "Move").isEnabled()
    plots = find(runs, RunPlots, "run_plots")
    assert plots._losses.get_xlim() == (0, 12)
    log = Log(run.log_path)
    log.add("steps", first=5, losses=[0.25, 0.125], seconds=2.0)
    log.close()
    qtbot.waitUntil(lambda: [len(line.raw.x) for line in runs._lines] == [6])
    threads: set[int] = set()
    monkeypatch.setattr(Run, "summary", _noting(Run.summary, threads))
    qtbot.waitUntil(lambda: len(threads) > 0)
    assert threading.get_ident() not in threads
    run.unlock()
    qtbot.waitUntil(lambda: runs.model.entries[0].summary.status is Status.CUT_OFF)
    assert not runs._timer.isActive()
    qtbot.waitUntil(lambda: plots._losses.get_xlim() == (0, 6))


def _noting(summary: Any, threads: set[int]) -> Any:
    def noted(self: Run) -> Any:
        threads.add(threading.get_ident())
        return summary(self)

    return noted


@pytest.mark.parametrize(
    ("status", "goes_on"),
    [
        (Status.PAUSED, True),
        (Status.CUT_OFF, True),
        (Status.STOPPED, True),
        (Status.FINISHED, False),
        (Status.DIVERGED, True),
    ],
)
def test_what_can_be_done_depends_on_how_a_run_stands(
    qtbot: QtBot, window: Window, status: Status, goes_on: bool
) -> None:
    """And on whether something is in training here, beside which it cannot be gone on with."""
    runs = open_runs(qtbot, window, made_run(status=status))
    button = find(runs, QPushButton, "runs_go_on")
    assert button.isEnabled() == action(runs, "Go on").isEnabled() == goes_on
    assert action(runs, "Train on").isEnabled() == (status is not Status.DIVERGED)
    runs.set_training(True)
    assert not button.isEnabled()
    for text in ("Go on", "Train on", "Use its settings"):
        assert not action(runs, text).isEnabled()
    for text in ("Use in the Draw", "Rename", "Save", "Export", "Open", "Move"):
        assert action(runs, text).isEnabled()


def test_several_runs_are_exported_and_deleted_together(qtbot: QtBot, window: Window) -> None:
    """All else is for one."""
    runs = open_runs(qtbot, window, made_run(), made_run())
    for text in ("Go on", "Train on", "Use in the Draw", "Use its settings", "Rename", "Save"):
        assert not action(runs, text).isEnabled()
    for text in ("Export", "Open", "Move"):
        assert action(runs, text).isEnabled()


def test_run_is_gone_on_with_in_the_train_tab(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its last checkpoint to its end; meanwhile the list says that it runs, and no other can be gone on with."""
    run = trained(50)
    fake_dataset(monkeypatch)
    runs = open_runs(qtbot, window, run)
    with qtbot.waitSignal(runs.go_on_requested) as asked:
        qtbot.mouseClick(find(runs, QPushButton, "runs_go_on"), Qt.MouseButton.LeftButton)
    assert asked.args is not None
    assert (asked.args[0].id, asked.args[1]) == (run.id, {})
    assert window.train_tab.state is State.RUNNING
    assert window.train_tab.isVisible()
    assert not action(runs, "Go on").isEnabled()
    qtbot.waitUntil(lambda: window.train_tab.state is State.DONE, timeout=TRAINING_MS)
    qtbot.waitUntil(lambda: runs.model.entries[0].summary.status is Status.FINISHED)
    assert runs.model.entries[0].summary.step == 120
    assert len(all_runs()) == 1


def test_run_that_ran_away_goes_on_at_a_lower_rate(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for until what is typed can be a rate, and training goes on from the last good checkpoint."""
    learn = Trainer._learn
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_learn", lambda self, *batch: np.nan if self.step == 60 else learn(self, *batch))
        with pytest.raises(DivergedError):
            trained(optimizer__learning_rate=0.1)
    fake_dataset(monkeypatch)
    (run,) = all_runs()
    assert run.summary().status is Status.DIVERGED
    runs = open_runs(qtbot, window, run)
    action(runs, "Go on").trigger()
    qtbot.waitUntil(lambda: runs.findChild(QInputDialog, "lower_rate") is not None)
    dialog = find(runs, QInputDialog, "lower_rate")
    assert dialog.textValue() == "0.03"
    dialog.setTextValue("0,03 or so")
    dialog.accept()
    assert dialog.isVisible()
    assert dialog.textValue() == "0,03 or so"
    assert "expected a number" in dialog.labelText()
    dialog.setTextValue("0.03")
    dialog.accept()
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: window.train_tab.state is State.DONE, timeout=TRAINING_MS)
    assert (run.summary().status, run.summary().step) == (Status.FINISHED, 120)
    assert [(change.step, change.settings) for change in run.history().changes] == [
        (40, {"optimizer.learning_rate": 0.03})
    ]


def test_finished_run_is_trained_on(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for how many epochs, and patience does not end them."""
    run = trained(training__epochs=1)
    fake_dataset(monkeypatch)
    runs = open_runs(qtbot, window, run)
    action(runs, "Train on").trigger()
    dialog = find(runs, QInputDialog, "train_on")
    dialog.setIntValue(2)
    with qtbot.waitSignal(runs.go_on_requested) as asked:
        dialog.accept()
    assert asked.args is not None
    assert asked.args[1] == {"training.epochs": 3, "training.patience": 0}
    qtbot.waitUntil(lambda: window.train_tab.state is State.DONE, timeout=TRAINING_MS)
    summary = run.summary()
    assert (summary.status, summary.epoch, summary.step) == (Status.FINISHED, 3, 120)


def test_weights_of_a_run_are_used_and_saved(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the Draw tab, and as a file of the user's choice."""
    run = trained(training__epochs=1)
    runs = open_runs(qtbot, window, run)
    window.show_tab(TRAIN)
    with qtbot.waitSignal(runs.use_requested):
        qtbot.mouseClick(find(runs, QPushButton, "runs_use"), Qt.MouseButton.LeftButton)
    assert window.weights.about["recipe"]["name"] == "small"
    assert window.draw_tab.isVisible()
    assert window.recent() == [str(run.weights_path.resolve())]
    saved: list[Weights] = []
    monkeypatch.setattr(window, "save_weights", saved.append)
    runs.save_requested.connect(saved.append)
    with qtbot.waitSignal(runs.save_requested):
        action(runs, "Save").trigger()
    assert saved[-1].parameters.tobytes() == window.weights.parameters.tobytes()


def test_weights_that_cannot_be_read_are_told_of(qtbot: QtBot, window: Window) -> None:
    """With the file's name; those in use stay."""
    run = made_run()
    run.weights_path.write_text("none")
    runs = open_runs(qtbot, window, run)
    before = window.weights
    action(runs, "Use in the Draw").trigger()
    qtbot.waitUntil(lambda: runs.findChild(QMessageBox, "problem") is not None)
    box = find(runs, QMessageBox, "problem")
    assert run.weights_path.name in box.informativeText()
    box.close()
    assert window.weights is before


def test_settings_are_taken_into_the_train_tab(qtbot: QtBot, window: Window) -> None:
    """Those that the run ended with, what was changed as it trained included."""
    run = made_run("mine", loss__l2=0.25)
    log = Log(run.log_path)
    log.add("change", step=9, settings={"optimizer.learning_rate": 0.02})
    log.add("change", step=11, settings={"optimizer.learning_rate": 0.004})
    log.close()
    runs = open_runs(qtbot, window, run)
    with qtbot.waitSignal(runs.duplicate_requested):
        action(runs, "Use its settings").trigger()
    recipe = window.train_tab.form.recipe()
    assert recipe is not None
    assert (recipe.loss.l2, recipe.optimizer.learning_rate) == (0.25, 0.004)
    assert recipe.network.hidden == (32,)
    assert window.train_tab.isVisible()


@pytest.mark.parametrize("suffix", ["png", "svg", "csv"])
def test_run_is_exported(
    qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    """Where the user says, as what the name ends in."""
    runs = open_runs(qtbot, window, made_run())
    path = tmp_path / f"run.{suffix}"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: self.selectFile(str(path)) or 1)
    qtbot.mouseClick(find(runs, QPushButton, "runs_export"), Qt.MouseButton.LeftButton)
    message = find(runs, QLabel, "runs_message")
    qtbot.waitUntil(lambda: message.accessibleName() == f"Saved run.{suffix}")
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "csv": b"step,"}[suffix]
    assert path.read_bytes().startswith(begin)


@pytest.mark.parametrize("name", ["runs.txt", "runs.csv", "none/runs.png"])
def test_export_that_cannot_be_is_told_of(qtbot: QtBot, window: Window, tmp_path: Path, name: str) -> None:
    """Another ending, a table of several runs, a folder that is not there."""
    runs = open_runs(qtbot, window, made_run(), made_run())
    runs.export(tmp_path / name)
    qtbot.waitUntil(lambda: runs.findChild(QMessageBox, "problem") is not None)
    find(runs, QMessageBox, "problem").close()
    assert not (tmp_path / name).exists()


def test_folder_is_opened(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's own."""
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    run = made_run()
    action(open_runs(qtbot, window, run), "Open its folder").trigger()
    assert [Path(name) for name in opened] == [run.folder]


@pytest.mark.skipif(os.name == "nt" or os.uname().sysname == "Darwin", reason="needs a trash of the test's own")
def test_runs_are_moved_to_the_trash(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Once that was agreed to, whole; the list is then without them, and their curves are gone."""
    one, two, kept = made_run("one"), made_run("two"), made_run("kept")
    runs = open_runs(qtbot, window, one, two)
    action(runs, "Move").trigger()
    box = find(runs, QMessageBox, "deleting")
    assert "2 runs" in box.text()
    box.reject()
    assert one.folder.exists()
    QApplication.processEvents()
    action(runs, "Move").trigger()
    box = runs.findChildren(QMessageBox, "deleting")[-1]
    box.accept()
    qtbot.waitUntil(lambda: [entry.id for entry in runs.model.entries] == [kept.id])
    qtbot.waitUntil(lambda: not runs._lines)
    assert sorted(path.name for path in (tmp_path / "data" / "Trash" / "files").iterdir()) == sorted([one.id, two.id])
    assert [path.name for path in runs_folder().iterdir()] == [kept.id]


def test_run_in_training_is_not_moved_to_the_trash() -> None:
    """Whoever trains it."""
    run = made_run()
    run.lock()
    with pytest.raises(RunError, match="in training"):
        to_trash(Run.open(run.folder))
    run.unlock()
    assert run.folder.exists()


def test_context_menu_is_that_of_runs(qtbot: QtBot, window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same actions, at the place that was clicked."""
    runs = open_runs(qtbot, window, made_run())
    places: list[QPoint] = []
    monkeypatch.setattr(runs._run_menu, "popup", places.append)
    find(runs, QTableView, "runs_table").customContextMenuRequested.emit(QPoint(10, 10))
    assert places == [find(runs, QTableView, "runs_table").viewport().mapToGlobal(QPoint(10, 10))]


def test_keys_work_in_the_window_of_runs(qtbot: QtBot, window: Window) -> None:
    """Though the other window has some of the same; Tab goes from the list to the curves and the values."""
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


def test_closed_it_can_be_opened_again_and_its_thread_ends_with_the_window(qtbot: QtBot, window: Window) -> None:
    """Where it was, with what came since."""
    made_run()
    runs = open_runs(qtbot, window)
    runs.resize(1040, 640)
    runs.close()
    assert not runs._timer.isActive()
    made_run()
    assert open_runs(qtbot, window, *all_runs()) is runs
    assert (runs.width(), runs.height()) == (1040, 640)
    window.close()
    assert not runs.isVisible()
    assert not [thread for thread in threading.enumerate() if thread.name == "runs"]
