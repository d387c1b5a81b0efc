import threading
from collections.abc import Generator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.errors import DigitpadError
from digitpad.gui.jobs import Jobs
from digitpad.training.evaluation import Evaluating

WAIT_MS = 60_000


class Ear:
    """Hears what a job comes to."""

    def __init__(self) -> None:
        self.results: list[object] = []
        self.problems: list[str] = []
        self.threads: list[threading.Thread] = []

    def done(self, result: object) -> None:
        self.results.append(result)
        self.threads.append(threading.current_thread())


def work(n: int, gate: threading.Event | None = None) -> Generator[Evaluating, None, int]:
    for done in range(n):
        if gate is not None:
            assert gate.wait(30)
        yield Evaluating(done, n)
    return n


def failing(error: Exception) -> Generator[Evaluating, None, None]:
    yield Evaluating(0, 1)
    raise error


@pytest.fixture
def jobs(qtbot: QtBot) -> Jobs:
    owner = QObject()
    jobs = Jobs(owner)
    jobs.owner = owner  # type: ignore[attr-defined]
    return jobs


def test_a_job_tells_its_result_in_the_windows_thread(qtbot: QtBot, jobs: Jobs) -> None:
    """With the progress before it, and is no longer busy."""
    ear, progress = Ear(), []
    jobs.start("one", work(3), ear.done, ear.problems.append, lambda done, total: progress.append((done, total)))
    qtbot.waitUntil(lambda: bool(ear.results), timeout=WAIT_MS)
    assert ear.results == [3]
    assert ear.threads == [threading.main_thread()]
    assert progress[0] == (0, 3)
    assert not jobs.busy("one")


@pytest.mark.parametrize(
    ("error", "told"), [(DigitpadError("no such file"), "no such file"), (MemoryError(), "memory")]
)
def test_a_failure_is_told(qtbot: QtBot, jobs: Jobs, error: Exception, told: str) -> None:
    """In words, and the job is over."""
    ear = Ear()
    jobs.start("one", failing(error), ear.done, ear.problems.append)
    qtbot.waitUntil(lambda: bool(ear.problems), timeout=WAIT_MS)
    assert told in ear.problems[0]
    assert not ear.results
    assert not jobs.busy("one")


def test_a_later_job_takes_the_place_of_one_of_its_kind(qtbot: QtBot, jobs: Jobs) -> None:
    """What was begun first has nothing to say any more; another kind is left alone."""
    ear, gate = Ear(), threading.Event()
    jobs.start("one", work(5, gate), ear.done, ear.problems.append)
    jobs.start("other", work(7, gate), ear.done, ear.problems.append)
    jobs.start("one", work(9, gate), ear.done, ear.problems.append)
    assert jobs.busy("one")
    gate.set()
    qtbot.waitUntil(lambda: len(ear.results) == 2, timeout=WAIT_MS)
    assert sorted(map(str, ear.results)) == ["7", "9"]
    jobs.shut_down()


def test_shutting_down_ends_every_thread(qtbot: QtBot, jobs: Jobs) -> None:
    """Also those that were cancelled before; nothing is told of them."""
    ear, gate = Ear(), threading.Event()
    for kind in ("one", "one", "other"):
        jobs.start(kind, work(10**9, gate), ear.done, ear.problems.append)
    gate.set()
    jobs.shut_down()
    assert not [thread for thread in threading.enumerate() if thread.name == "job"]
    assert (ear.results, ear.problems) == ([], [])
