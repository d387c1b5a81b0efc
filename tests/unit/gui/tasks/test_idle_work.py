from collections.abc import Generator

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.tasks.idle_work import IdleWork


def counting(name: str, n: int, log: list[str]) -> Generator[None, None, str]:
    for i in range(n):
        log.append(f"{name}{i}")
        yield
    return name


def test_pieces_are_done_between_events(qtbot: QtBot) -> None:
    """None at once, then one after the other, and at the end what it comes to."""
    parent, log, done = QObject(), [], []  # type: ignore[var-annotated]
    work = IdleWork(parent)
    work.start(counting("a", 3, log), done.append)
    assert not log
    QApplication.processEvents()
    assert len(log) < 3
    assert work.busy
    qtbot.waitUntil(lambda: done == ["a"])
    assert log == ["a0", "a1", "a2"]
    assert not work.busy


def test_other_work_takes_its_place(qtbot: QtBot) -> None:
    """What was not done is left, and nobody hears of it."""
    parent, log, done = QObject(), [], []  # type: ignore[var-annotated]
    work = IdleWork(parent)
    work.start(counting("a", 10**9, log), done.append)
    qtbot.waitUntil(lambda: len(log) > 0)
    work.start(counting("b", 2, log), done.append)
    qtbot.waitUntil(lambda: not work.busy)
    assert done == ["b"]


def test_work_that_fails_is_over(qtbot: QtBot) -> None:
    """The error is heard of, and nothing is said to have come of it."""
    parent, done = QObject(), []  # type: ignore[var-annotated]
    work = IdleWork(parent)

    def failing() -> Generator[None, None, str]:
        yield
        raise ValueError("no")

    with qtbot.captureExceptions() as caught:
        work.start(failing(), done.append)
        qtbot.waitUntil(lambda: not work.busy)
    assert [kind for kind, *_ in caught] == [ValueError]
    assert done == []
    assert not work._timer.isActive()


def test_cancelled_work_is_not_done(qtbot: QtBot) -> None:
    """Nothing of it comes afterwards, also where it is begun again from what it led to."""
    parent, log, done = QObject(), [], []  # type: ignore[var-annotated]
    work = IdleWork(parent)
    work.start(counting("a", 5, log), done.append)
    work.cancel()
    work.start(counting("b", 1, log), lambda _: work.start(counting("c", 1, log), done.append))
    qtbot.waitUntil(lambda: done == ["c"])
    assert log == ["b0", "c0"]
