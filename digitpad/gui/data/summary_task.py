"""Reading a data set to look at it, in a thread of its own: a large one takes seconds."""

import threading

from PySide6.QtCore import QObject, Signal

from digitpad.datasets.dataset import load
from digitpad.datasets.summary import summarize
from digitpad.errors import DigitpadError


class OverviewThread(QObject):
    """Reads one data set, from start to overview."""

    # Each with this object first, as a dialog may hear of one that it has no more use for.
    read = Signal(object, int)  # so many images so far
    finished = Signal(object, object)  # Overview; the thread is about to end
    failed = Signal(object, str)  # why there is none; the thread is about to end

    def __init__(self, source: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self._thread = threading.Thread(target=self._run, name="overview", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, without another word."""
        self._stopping = True

    def wait(self, seconds: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # In the thread.

    def _run(self) -> None:
        try:
            found = summarize(load(self.source, self._tell))
            self._tell(0)
            self.finished.emit(self, found)
        except _StoppedError:
            pass
        except DigitpadError as error:
            self.failed.emit(self, str(error))
        except MemoryError:
            self.failed.emit(self, "There is not enough memory for this data set.")
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self.failed.emit(self, f"{type(error).__name__}: {error}")
            raise

    def _tell(self, n_read: int) -> None:
        if self._stopping:
            raise _StoppedError
        if n_read:
            self.read.emit(self, n_read)


class _StoppedError(Exception):
    """Nobody wants to know any more."""
