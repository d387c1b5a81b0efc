import threading
from collections.abc import Generator, Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.errors import DigitpadError
from digitpad.gui.tasks.latest_work import LatestWork


@pytest.fixture
def work() -> Iterator[LatestWork]:
    parent = QObject()
    latest = LatestWork("work", parent)
    yield latest
    latest.shut_down()


def count(n: int) -> Generator[int | None, None, str]:
    for number in range(n):
        yield number
        yield None
    return f"counted to {n}"


def test_progress_and_the_end_are_told_in_order(qtbot: QtBot, work: LatestWork) -> None:
    """All that is yielded but None, then what it comes to."""
    told: list[object] = []
    work.progressed.connect(told.append)
    with qtbot.waitSignal(work.finished) as end:
        work.start(lambda: count(3))
        assert work.busy
    assert told == [0, 1, 2]
    assert end.args == ["counted to 3"]
    assert not work.busy


def test_only_the_last_counts(qtbot: QtBot, work: LatestWork) -> None:
    """What was replaced is left between two pieces and tells nothing more; what waited is never begun."""
    begun, may_go_on = threading.Event(), threading.Event()
    left: list[str] = []

    def slow() -> Generator[str, None, str]:
        try:
            begun.set()
            may_go_on.wait(30)
            yield "of the first"
            yield "never"
            return "never"
        finally:
            left.append("the first")

    def second() -> Generator[None, None, None]:
        left.append("the second")
        yield

    told: list[object] = []
    work.progressed.connect(told.append)
    work.start(slow)
    assert begun.wait(30)
    work.start(second)
    with qtbot.waitSignal(work.finished) as end:
        work.start(lambda: count(2))
        may_go_on.set()
    assert end.args == ["counted to 2"]
    assert told == [0, 1]
    assert left == ["the first"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DigitpadError("no such digit"), "no such digit"),
        (MemoryError(), "There is not enough memory."),
        (ValueError("of none"), "ValueError: of none"),
    ],
)
def test_a_failure_is_told_and_the_next_work_is_done(
    qtbot: QtBot, work: LatestWork, error: Exception, told: str
) -> None:
    """By its words, in the window's thread."""

    def fails() -> Generator[None, None, None]:
        yield
        raise error

    threads: list[threading.Thread] = []
    work.failed.connect(lambda _: threads.append(threading.current_thread()))
    with qtbot.waitSignal(work.failed) as failure:
        work.start(fails)
    assert failure.args == [told]
    assert threads == [threading.main_thread()]
    with qtbot.waitSignal(work.finished):
        work.start(lambda: count(1))


def test_shutting_down_ends_the_thread(work: LatestWork) -> None:
    """Of work without an end, after the piece under way."""

    def endless() -> Generator[None, None, None]:
        while True:
            yield

    work.start(endless)
    work.shut_down()
    assert not work.busy
    assert "work" not in [thread.name for thread in threading.enumerate()]
