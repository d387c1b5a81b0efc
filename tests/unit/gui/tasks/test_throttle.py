from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.gui.tasks.throttle import Throttle


def test_first_request_calls_at_once(qtbot: QtBot) -> None:
    """The first request calls the function at once."""
    calls: list[int] = []
    parent = QObject()
    Throttle(lambda: calls.append(1), 50, parent).request()
    assert calls == [1]


def test_burst_of_requests_makes_two_calls(qtbot: QtBot) -> None:
    """A hundred requests make two calls: at the first request, and with the last state."""
    state, calls = [0], []
    parent = QObject()
    throttle = Throttle(lambda: calls.append(state[0]), 50, parent)
    for number in range(100):
        state[0] = number
        throttle.request()
    qtbot.waitUntil(lambda: len(calls) == 2)
    assert calls == [0, 99]
