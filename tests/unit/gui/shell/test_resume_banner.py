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
    """Starts the program: its window, and the run that it offers once it has looked."""

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
def test_nothing_is_offered_where_nothing_was_cut_off(start: Start, status: RunStatus) -> None:
    """The line is as ever."""
    made_run(status=status)
    window, offered = start()
    assert offered is None
    assert not window.banner.isVisible()


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.CUT_OFF])
def test_latest_run_that_was_cut_off_is_offered(start: Start, status: RunStatus) -> None:
    """By its name, with how far it came; a long name does not widen the window."""
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


def test_run_that_is_paused_in_another_window_is_not_offered(start: Start) -> None:
    """Somebody is at work on it."""
    run = made_run(status=RunStatus.PAUSED)
    run.lock()
    _, offered = start()
    assert offered is None
    run.unlock()


def test_runs_are_looked_for_after_the_first_paint_and_in_a_thread(
    qtbot: QtBot, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start is not slower for it."""
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


def test_resumed_run_goes_on_in_the_train_tab(qtbot: QtBot, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """To its end, and is offered no more."""
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


def test_run_that_was_turned_down_is_offered_again_only_when_it_has_gone_on(qtbot: QtBot, start: Start) -> None:
    """At the next start, too; the window of runs still has it."""
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


def test_offer_is_withdrawn_when_a_training_begins(qtbot: QtBot, start: Start) -> None:
    """Whichever way; its thread has ended by then."""
    made_run(status=RunStatus.CUT_OFF)
    window, _ = start()
    window.session.set_training(TrainingState.RUNNING)
    window.session.set_training(TrainingState.IDLE)
    assert not window.banner.isVisible()
    qtbot.waitUntil(lambda: "resume banner" not in [thread.name for thread in threading.enumerate()])
    QApplication.processEvents()


def test_window_that_is_closed_at_once_leaves_no_thread(theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """Before it was painted, and before it was known what to offer."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = Window(Session(theme, shipped, Preferences(settings)))
    window.show()
    window.banner.look()
    window.import_pages()
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name in ("resume banner", "imports")]
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
