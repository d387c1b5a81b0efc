"""Work in pieces, done while the window has nothing else to do."""

from collections.abc import Callable, Generator
from typing import Any

from PySide6.QtCore import QObject, QTimer


class IdleWork(QObject):
    """Runs a generator piece by piece between events, so that none waits for longer than a piece takes."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._work: Generator[None, None, Any] | None = None
        self._done: Callable[[Any], None] = lambda _: None
        self._timer = QTimer(self)  # of 0 ms: it fires when all events are dealt with
        self._timer.timeout.connect(self._go_on)

    @property
    def busy(self) -> bool:
        """Whether there is work that is not done."""
        return self._work is not None

    def start(self, work: Generator[None, None, Any], done: Callable[[Any], None]) -> None:
        """Do this, instead of what was not done yet; ``done`` gets what the generator returns."""
        self._work, self._done = work, done
        self._timer.start(0)

    def cancel(self) -> None:
        """Leave the rest undone."""
        self._work = None
        self._timer.stop()

    def _go_on(self) -> None:
        assert self._work is not None
        try:
            next(self._work)
        except StopIteration as end:
            self.cancel()
            self._done(end.value)
        except BaseException:
            self.cancel()  # what failed has come to nothing, and would seem to have come to None the next time
            raise
