"""Downloading a data set in a thread of its own, which tells how far it is, about ten times a second."""

import threading
import time

from PySide6.QtCore import QObject, Signal

from digitpad.datasets.download.fetch import download
from digitpad.datasets.download.sources import DatasetSource
from digitpad.errors import DigitpadError

REPORT_SECONDS = 0.1


class DownloadThread(QObject):
    """One download, from start to end."""

    progressed = Signal(object, object)  # bytes there are, of how many; ints, which may be larger than C++'s
    finished = Signal()  # the set is there; the thread is about to end
    stopped = Signal()  # as it was told to; what was fetched is kept, and the thread is about to end
    failed = Signal(str)  # why it is not there; the thread is about to end

    def __init__(self, source: DatasetSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self._thread = threading.Thread(target=self._run, name="download", daemon=True)
        self._stopping = False
        self._told = 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End with the next piece."""
        self._stopping = True

    def wait(self, seconds: float) -> bool:
        """Wait for the thread's end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # In the thread.

    def _run(self) -> None:
        try:
            download(self.source, self._tell)
            self.finished.emit()
        except _StoppedError:
            self.stopped.emit()
        except DigitpadError as error:
            self.failed.emit(str(error))
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self.failed.emit(f"{type(error).__name__}: {error}")
            raise

    def _tell(self, done: int, total: int) -> None:
        if self._stopping:
            raise _StoppedError
        if time.monotonic() - self._told >= REPORT_SECONDS or done == total:
            self._told = time.monotonic()
            self.progressed.emit(done, total)


class _StoppedError(Exception):
    """Told to stop."""
