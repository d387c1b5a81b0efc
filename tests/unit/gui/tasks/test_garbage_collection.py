import gc
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.gui.tasks.garbage_collection import GuiThreadCollector
from digitpad.gui.tasks.task import Policy, TaskRunner


class Cycle(QObject):
    """Garbage that only the cyclic collector can free."""

    def __init__(self, freed_in: list[int]) -> None:
        super().__init__()
        self.itself = self
        self.freed_in = freed_in

    def __del__(self) -> None:
        self.freed_in.append(threading.get_ident())


def test_a_worker_frees_no_widget(qtbot: QtBot) -> None:
    """A worker that allocates a lot would trigger the collector in its own thread."""
    page, freed_in = QObject(), list[int]()
    GuiThreadCollector(page)
    runner = TaskRunner("tasks", Policy.QUEUE, page)
    Cycle(freed_in)
    kept: list[object] = []
    runner.start(lambda: kept.extend([[] for _ in range(100_000)]))
    qtbot.waitUntil(lambda: len(freed_in) == 1)
    assert freed_in == [threading.get_ident()]
    assert len(kept) == 100_000
    assert not gc.isenabled()
    runner.shut_down()
