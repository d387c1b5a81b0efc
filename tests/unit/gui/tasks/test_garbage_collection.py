import gc
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from digitpad.gui.tasks.garbage_collection import GuiThreadCollector
from digitpad.gui.tasks.task import Policy, TaskRunner


class Cycle(QObject):
    """QObject that only the cyclic garbage collector can free."""

    def __init__(self, freed_in: list[int]) -> None:
        super().__init__()
        self.itself = self
        self.freed_in = freed_in

    def __del__(self) -> None:
        self.freed_in.append(threading.get_ident())


def test_garbage_is_collected_in_the_gui_thread(qtbot: QtBot) -> None:
    """A worker that allocates many objects does not run the garbage collector, which runs in the GUI thread."""
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
