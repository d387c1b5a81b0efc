from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.gui.tasks.throttle import Throttle


def test_the_first_request_is_answered_at_once(qtbot: QtBot) -> None:
    """Nobody waits where nothing happened before."""
    calls: list[int] = []
    parent = QObject()
    Throttle(lambda: calls.append(1), 50, parent).request()
    assert calls == [1]


def test_a_burst_is_answered_once_more_after_it(qtbot: QtBot) -> None:
    """A hundred requests make two calls: the first, and one that sees the last."""
    state, calls = [0], []
    parent = QObject()
    throttle = Throttle(lambda: calls.append(state[0]), 50, parent)
    for number in range(100):
        state[0] = number
        throttle.request()
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert calls == [0, 99]
