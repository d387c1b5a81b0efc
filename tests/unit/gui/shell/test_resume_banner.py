import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.gui.preferences import Preferences
from digitpad.gui.session import Session, TrainingState
from digitpad.gui.shell import resume_banner as module
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Theme
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_registry import RunEntry
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import find
from tests.unit.gui.shown_runs import TRAINING_MS, fake_dataset, trained
from tests.unit.training.made_runs import made_run

Start = Callable[[], tuple[Window, RunEntry | None]]


@pytest.fixture
def start(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> Start:
    """Return a function that opens a window and returns it with the run that it offers to resume."""

    def started() -> tuple[Window, RunEntry | None]:
        settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        window = Window(Session(theme, shipped, Preferences(settings)))
        qtbot.addWidget(window, before_close_func=_stopped)
        with qtbot.waitSignal(window.banner.looked) as looked:
            window.show()
        assert looked.args is not None
        return window, looked.args[0]

    return started


def _stopped(window: Window) -> None:
    window.finish_work()
    window.shut_down()


def click(qtbot: QtBot, window: Window, name: str) -> None:
    qtbot.mouseClick(find(window, QPushButton, name), Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("status", [RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.DIVERGED])
def test_finished_runs_are_not_offered(start: Start, status: RunStatus) -> None:
    """Without an interrupted run, the banner stays hidden."""
    made_run(status=status)
    window, offered = start()
    assert offered is None
    assert not window.banner.isVisible()


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.CUT_OFF])
def test_latest_unfinished_run_is_offered(start: Start, status: RunStatus) -> None:
    """The banner shows name, status and epoch of the latest unfinished run, and shortens a long name."""
    made_run("older", status)
    run = made_run("recipe", status, n_epochs=1)
    made_run("done")
    run.rename("mine" * 20)
    window, offered = start()
    assert offered is not None
    assert offered.id == run.id
    assert window.banner.isVisible()
    text = find(window, QLabel, "resume_text").text()
    words = "interrupted" if status is RunStatus.CUT_OFF else "paused"
    assert text == f"“{('mine' * 20)[:23]}…” was {words} at epoch 1 of 3"
    window.resize(window.minimumSize())
    assert window.width() == window.minimumWidth()


def test_locked_run_is_not_offered(start: Start) -> None:
    """A paused run that another window has locked is not offered."""
    run = made_run(status=RunStatus.PAUSED)
    run.lock()
    _, offered = start()
    assert offered is None
    run.unlock()


def test_runs_are_searched_in_a_thread_after_the_first_paint(
    qtbot: QtBot, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs are searched in a thread after the first paint, so that they do not delay the start."""
    order: list[tuple[str, bool]] = []
    unfinished = module.unfinished_run

    def noted() -> RunEntry | None:
        order.append(("looked", threading.current_thread() is threading.main_thread()))
        return unfinished()

    paint = Window.paintEvent

    def painted(self: Window, event: QPaintEvent) -> None:
        paint(self, event)
        order.append(("painted", True))

    monkeypatch.setattr(module, "unfinished_run", noted)
    monkeypatch.setattr(Window, "paintEvent", painted)
    start()
    assert order[0] == ("painted", True)
    assert [main_thread for what, main_thread in order if what == "looked"] == [False]


def test_resume_button_resumes_in_the_train_tab(qtbot: QtBot, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resume shows the Train tab and trains the run to its end; afterwards it is not offered again."""
    run = trained(50)
    fake_dataset(monkeypatch)
    window, _ = start()
    with qtbot.waitSignal(window.session.resume_requested) as asked:
        click(qtbot, window, "resume_button")
    assert asked.args is not None
    resumed: Run = asked.args[0]
    assert resumed.id == run.id
    assert window.page(TrainTab).isVisible()
    assert not window.banner.isVisible()
    qtbot.waitUntil(lambda: window.page(TrainTab).state is TrainingState.DONE, timeout=TRAINING_MS)
    assert run.summary().status is RunStatus.FINISHED
    assert run.summary().step == 120
    window.close()
    _, offered = start()
    assert offered is None


def test_declined_run_is_offered_again_only_after_progress(qtbot: QtBot, start: Start) -> None:
    """A declined run is not offered at the next start, unless it was trained further meanwhile."""
    run = made_run(status=RunStatus.CUT_OFF, n_epochs=1)
    window, _ = start()
    click(qtbot, window, "resume_later")
    assert not window.banner.isVisible()
    window.close()
    window, offered = start()
    assert offered is None
    window.close()
    summary = run.summary()
    run.write_summary(type(summary)(RunStatus.PAUSED, step=summary.step + 1, n_epochs=3, n_steps=12))
    _, offered = start()
    assert offered is not None


def test_banner_is_hidden_when_training_starts(qtbot: QtBot, start: Start) -> None:
    """When training starts, the banner is hidden, and its thread has ended."""
    made_run(status=RunStatus.CUT_OFF)
    window, _ = start()
    window.session.set_training(TrainingState.RUNNING)
    window.session.set_training(TrainingState.IDLE)
    assert not window.banner.isVisible()
    qtbot.waitUntil(lambda: "resume banner" not in [thread.name for thread in threading.enumerate()])
    QApplication.processEvents()


def test_closing_at_once_leaves_no_thread(theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """If the window closes before its first paint, no thread is left."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = Window(Session(theme, shipped, Preferences(settings)))
    window.show()
    window.banner.look()
    window.import_pages()
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name in ("resume banner", "imports")]
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
