import logging
import threading
from collections.abc import Generator, Iterator
from functools import partial
from typing import ClassVar

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.errors import DigitpadError
from digitpad.gui.tasks.task import Policy, Task, TaskRunner, end_tasks, error_message, report


@pytest.fixture
def page() -> Iterator[QObject]:
    """Yield the parent of task runners, whose tasks end with the test."""
    page = QObject()
    yield page
    end_tasks(page)


def count(n: int) -> Generator[int | None, None, str]:
    for number in range(n):
        yield number
        yield None
    return f"counted to {n}"


def recorded(task: Task) -> list[object]:
    """Return a list that receives every signal of a task with its value, in order."""
    events: list[object] = []
    task.progressed.connect(events.append)
    task.finished.connect(lambda result: events.append(("finished", result)))
    task.failed.connect(lambda error: events.append(("failed", error)))
    task.cancelled.connect(lambda: events.append("cancelled"))
    return events


@pytest.mark.parametrize("policy", Policy)
def test_progress_and_result_come_in_order(qtbot: QtBot, page: QObject, policy: Policy) -> None:
    """Progress reports every yielded value except None; the result is the generator's return value."""
    runner = TaskRunner("tasks", policy, page)
    events = recorded(runner.start(lambda: count(3)))
    assert runner.busy
    qtbot.waitUntil(lambda: not runner.busy)
    assert events == [0, 1, 2, ("finished", "counted to 3")]


def test_signals_arrive_in_the_gui_thread(qtbot: QtBot, page: QObject) -> None:
    """The task runs in its own thread, and its signals arrive in the GUI thread."""
    runner = TaskRunner("tasks", Policy.LATEST, page)
    threads: list[int] = []
    task = runner.start(threading.get_ident)
    task.finished.connect(lambda ident: threads.extend([ident, threading.get_ident()]))
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0] != threads[1] == threading.get_ident()


def test_a_queue_runs_every_task_in_order(qtbot: QtBot, page: QObject) -> None:
    """Queued tasks run in the order in which they were started."""
    runner = TaskRunner("tasks", Policy.QUEUE, page)
    results: list[object] = []
    for number in range(5):
        runner.start(partial(int, number), finished=results.append)
    qtbot.waitUntil(lambda: len(results) == 5)
    assert results == [0, 1, 2, 3, 4]


def test_waiting_task_is_replaced_by_one_with_the_same_key(qtbot: QtBot, page: QObject) -> None:
    """Of several waiting tasks with the same key, only the last one runs."""
    runner = TaskRunner("tasks", Policy.QUEUE, page)
    started, may_end = threading.Event(), threading.Event()

    def first() -> bool:
        started.set()
        return may_end.wait(30)

    results: list[object] = []
    runner.start(first, finished=results.append)
    assert started.wait(30)
    for number in range(10):
        runner.start(partial(int, number), key="same", finished=results.append)
    runner.start(lambda: "last", finished=results.append)
    may_end.set()
    qtbot.waitUntil(lambda: "last" in results)
    assert results == [True, 9, "last"]


def test_latest_task_cancels_earlier_tasks(qtbot: QtBot, page: QObject) -> None:
    """A running task is cancelled at its next yield, and a waiting task never starts."""
    runner = TaskRunner("tasks", Policy.LATEST, page)
    started, may_continue = threading.Event(), threading.Event()
    ran: list[str] = []

    def slow() -> Generator[str, None, str]:
        try:
            started.set()
            may_continue.wait(30)
            yield "of the first"
            yield "never"
            return "never"
        finally:
            ran.append("first")

    first = recorded(runner.start(slow))
    assert started.wait(30)
    second = recorded(runner.start(lambda: ran.append("second")))
    third = recorded(runner.start(lambda: count(1)))
    may_continue.set()
    qtbot.waitUntil(lambda: len(third) == 2)
    assert first == ["cancelled"]
    assert second == ["cancelled"]
    assert third == [0, ("finished", "counted to 1")]
    assert ran == ["first"]


def test_idle_work_leaves_room_for_events(qtbot: QtBot, page: QObject) -> None:
    """Idle work yields to events after at most two steps, and a new task replaces the old one."""
    runner = TaskRunner("tasks", Policy.IDLE, page)
    first = recorded(runner.start(lambda: count(10**9)))
    assert first == []
    QApplication.processEvents()
    assert len(first) < 3
    second = recorded(runner.start(lambda: count(2)))
    qtbot.waitUntil(lambda: len(second) == 3)
    assert first[-1] == "cancelled"
    assert not runner.busy


def test_task_can_be_started_when_another_finishes(qtbot: QtBot, page: QObject) -> None:
    """The slot that receives the result of a task can start the next task."""
    runner = TaskRunner("tasks", Policy.IDLE, page)
    results: list[object] = []
    runner.start(lambda: count(1), finished=lambda _: runner.start(lambda: count(2), finished=results.append))
    qtbot.waitUntil(lambda: results == ["counted to 2"])


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DigitpadError("no such digit"), "no such digit"),
        (MemoryError(), "There is not enough memory."),
        (ValueError("unexpected"), "ValueError: unexpected"),
    ],
)
def test_an_error_is_delivered_and_the_next_task_runs(
    qtbot: QtBot, page: QObject, policy: Policy, error: Exception, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """`failed` passes on the exception itself, and the traceback of an unexpected exception is logged."""
    runner = TaskRunner("tasks", policy, page)

    def fails() -> Generator[None, None, None]:
        yield
        raise error

    with caplog.at_level(logging.ERROR):
        events = recorded(runner.start(fails))
        qtbot.waitUntil(lambda: bool(events))
    assert events == [("failed", error)]
    assert error_message(error) == message
    assert bool(caplog.records) == isinstance(error, ValueError)
    events = recorded(runner.start(lambda: "done"))
    qtbot.waitUntil(lambda: events == [("finished", "done")])


def test_function_reports_progress_and_is_cancelled_by_report(qtbot: QtBot, page: QObject) -> None:
    """A plain function, such as a library callback, can report progress and is cancelled by a report."""
    runner = TaskRunner("tasks", Policy.LATEST, page)
    may_continue = threading.Event()

    def work() -> None:
        report("half")
        may_continue.wait(30)
        report()
        raise AssertionError("it was cancelled")

    task = runner.start(work)
    events = recorded(task)
    qtbot.waitUntil(lambda: events == ["half"])
    task.cancel()
    may_continue.set()
    qtbot.waitUntil(lambda: events == ["half", "cancelled"])


def test_outside_a_task_a_report_does_nothing() -> None:
    """Outside a task, `report` does nothing."""
    report("nobody listens")


def test_shutdown_ends_every_thread_of_a_page(qtbot: QtBot, page: QObject) -> None:
    """Endless tasks end after their current step, and no later task starts."""

    def endless() -> Generator[None, None, None]:
        while True:
            yield

    runners = [TaskRunner(f"tasks {policy.name}", policy, page) for policy in (Policy.LATEST, Policy.IDLE)]
    events = [recorded(runner.start(endless)) for runner in runners]
    end_tasks(page)
    assert not any(runner.busy for runner in runners)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("tasks")]
    assert runners[0].start(lambda: count(1)).is_cancelled
    QApplication.processEvents()
    assert events == [[], []]


def test_queue_is_completed_at_shutdown(qtbot: QtBot, page: QObject) -> None:
    """All queued tasks, such as file writes, are completed, and no more signals are emitted."""
    runner = TaskRunner("tasks", Policy.QUEUE, page)
    done: list[int] = []
    events = [recorded(runner.start(partial(done.append, number))) for number in range(3)]
    runner.shut_down()
    QApplication.processEvents()
    assert done == [0, 1, 2]
    assert events == [[], [], []]


class Witness:
    """Object that records the thread that freed it."""

    freed_in: ClassVar[list[int]] = []

    def __del__(self) -> None:
        self.freed_in.append(threading.get_ident())


@pytest.mark.parametrize("fails", [False, True])
def test_objects_of_a_task_are_freed_in_the_gui_thread(qtbot: QtBot, page: QObject, fails: bool) -> None:
    """Objects of a task, such as the last reference to a widget, are freed in the GUI thread."""
    runner = TaskRunner("tasks", Policy.QUEUE, page)
    Witness.freed_in.clear()
    for _ in range(50):
        witness = Witness()

        def work(witness: Witness = witness) -> Witness:
            if fails:
                raise DigitpadError("no")
            return witness

        runner.start(work)
        del work, witness
    qtbot.waitUntil(lambda: not runner.busy and len(Witness.freed_in) == 50)
    assert set(Witness.freed_in) == {threading.get_ident()}
