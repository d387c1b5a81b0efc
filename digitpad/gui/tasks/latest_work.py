"""Work in a thread of its own, of which only what was asked for last counts."""

import threading
from collections.abc import Callable, Generator
from typing import Any

from PySide6.QtCore import QObject, Signal

from digitpad.errors import DigitpadError

Work = Callable[[], Generator[Any, None, Any]]
"""Begins, in the thread, work that can be left after each piece; what it yields besides None is told, and its value."""


class LatestWork(QObject):
    """Runs one piece of work at a time; a new one takes the place of what is under way or waits.

    The thread lives while there is work: a `threading.Thread` rather than a QThread, as for training. What it tells
    arrives in the thread of this object, and never of work that was replaced or cancelled.
    """

    progressed = Signal(object)  # what the work yields, unless that is None
    finished = Signal(object)  # what it comes to
    failed = Signal(str)  # why it came to nothing

    _told = Signal(int, object, object)  # in the thread: which work, which of the signals above, what

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._lock = threading.Lock()
        self._number = 0
        self._next: Work | None = None
        self._lives = False
        self._thread: threading.Thread | None = None
        self._busy = False
        self._told.connect(self._deliver)

    @property
    def busy(self) -> bool:
        """Whether something was asked for that has not been told the end of."""
        return self._busy

    def start(self, work: Work) -> None:
        """Do this, instead of anything else."""
        self._busy = True
        with self._lock:
            self._number += 1
            self._next = work
            if not self._lives:
                self._lives = True
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Leave undone what is not done."""
        self._busy = False
        with self._lock:
            self._number += 1
            self._next = None

    def shut_down(self) -> None:
        """Cancel, and wait for the thread's end, which comes after the piece under way."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()

    def _deliver(self, number: int, signal: str, what: object) -> None:
        if number != self._number:
            return
        if signal != "progressed":
            self._busy = False
        getattr(self, signal).emit(what)

    # In the thread.

    def _run(self) -> None:
        while True:
            with self._lock:
                work, number = self._next, self._number
                self._next = None
                if work is None:
                    self._lives = False
                    return
            try:
                self._do(work, number)
            except DigitpadError as error:
                self._told.emit(number, "failed", str(error))
            except MemoryError:
                self._told.emit(number, "failed", "There is not enough memory.")
            except Exception as error:  # it would vanish with the thread: the window must hear of it
                self._told.emit(number, "failed", f"{type(error).__name__}: {error}")

    def _do(self, work: Work, number: int) -> None:
        pieces = work()
        try:
            while number == self._number:
                try:
                    told = next(pieces)
                except StopIteration as end:
                    self._told.emit(number, "finished", end.value)
                    return
                if told is not None:
                    self._told.emit(number, "progressed", told)
        finally:
            pieces.close()
