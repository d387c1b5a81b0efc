import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.errors import DigitpadError
from digitpad.gui.tasks.worker import Worker


@pytest.fixture
def owner() -> QObject:
    return QObject()


@pytest.fixture
def worker(owner: QObject) -> Iterator[Worker]:
    worker = Worker("worker", owner)
    yield worker
    worker.close()


def test_jobs_are_done_in_order_and_told_in_the_window_s_thread(qtbot: QtBot, worker: Worker) -> None:
    """Each in the worker's own thread, one after another."""
    told: list[tuple[int, bool, bool]] = []
    window = threading.get_ident()

    def job(number: int) -> None:
        worker.do(
            str(number),
            threading.get_ident,
            lambda ident: told.append((number, ident == window, threading.get_ident() == window)),
            lambda error: None,
        )

    for number in range(5):
        job(number)
    qtbot.waitUntil(lambda: len(told) == 5)
    assert told == [(number, False, True) for number in range(5)]


def test_waiting_job_of_the_same_key_is_replaced(qtbot: QtBot, worker: Worker) -> None:
    """So that what is asked for again and again is done once, as it was asked for last."""
    may_go_on = threading.Event()
    told: list[object] = []
    worker.do("first", may_go_on.wait, told.append, told.append)
    qtbot.waitUntil(lambda: not worker._jobs)
    for number in range(10):
        worker.do("same", lambda number=number: number, told.append, told.append)  # type: ignore[misc]
    worker.do("last", lambda: "last", told.append, told.append)
    may_go_on.set()
    qtbot.waitUntil(lambda: "last" in told)
    assert told == [True, 9, "last"]


def test_failures_are_told_and_the_next_job_is_done(qtbot: QtBot, worker: Worker) -> None:
    """Those that were foreseen in their own words, and others too."""
    told: list[str] = []

    def fail(error: Exception) -> None:
        raise error

    worker.do("one", lambda: fail(DigitpadError("foreseen")), told.append, lambda error: told.append(str(error)))
    worker.do("two", lambda: fail(ValueError("not foreseen")), told.append, lambda error: told.append(str(error)))
    worker.do("three", lambda: "done", told.append, told.append)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told == ["foreseen", "ValueError: not foreseen", "done"]


def test_closing_does_what_was_asked_for_and_tells_nobody(qtbot: QtBot, worker: Worker) -> None:
    """No thread is left, and later jobs are not begun."""
    done: list[int] = []
    told: list[object] = []
    for number in range(3):
        worker.do(str(number), lambda number=number: done.append(number), told.append, told.append)  # type: ignore[misc]
    worker.close()
    worker.do("late", lambda: done.append(99), told.append, told.append)
    assert done == [0, 1, 2]
    qtbot.wait(0)
    assert told == []
    assert worker._thread is None
