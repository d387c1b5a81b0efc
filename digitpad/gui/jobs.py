"""Work in threads of their own, which tells the window how far it is, and what it came to."""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from PySide6.QtCore import QObject, Signal

from digitpad.errors import DigitpadError
from digitpad.training.evaluation import Evaluating

REPORT_SECONDS = 0.05

Work = Generator[Evaluating, None, Any]


class Job(QObject):
    """A generator that a thread runs; what it returns, and how far it is, is told in the window's thread.

    A `threading.Thread` rather than a QThread, as for training. One that is cancelled has nothing to say any more.
    """

    _progressed = Signal(int, int)
    _ended = Signal(object, str)  # what it came to; why it came to nothing

    def __init__(
        self,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[str], None],
        progressed: Callable[[int, int], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._work = work
        self._done, self._failed, self._tell_progress = done, failed, progressed
        self._cancelled = False
        self.ended = False
        self._progressed.connect(self._on_progress)
        self._ended.connect(self._on_end)
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)
        self._thread.start()

    # From the window's thread.

    def cancel(self) -> None:
        """End at the work's next sign of life, and say nothing of it."""
        self._cancelled = True

    def wait(self) -> None:
        """Wait for the thread's end."""
        self._thread.join()

    def _on_progress(self, done: int, total: int) -> None:
        if not self._cancelled:
            self._tell_progress(done, total)

    def _on_end(self, result: object, problem: str) -> None:
        self._thread.join()
        self.ended = True
        self.deleteLater()
        if self._cancelled:
            return
        if problem:
            self._failed(problem)
        else:
            self._done(result)

    # In the job's own thread.

    def _run(self) -> None:
        result, problem = None, ""
        try:
            result = self._finish()
        except DigitpadError as error:
            problem = str(error)
        except MemoryError:
            problem = "There is not enough memory."
        except Exception as error:  # it would vanish with the thread: the window must hear of it
            self._ended.emit(None, f"{type(error).__name__}: {error}")
            raise
        self._ended.emit(result, problem)

    def _finish(self) -> Any:
        told = 0.0
        while not self._cancelled:
            try:
                progress = next(self._work)
            except StopIteration as end:
                return end.value
            if time.monotonic() - told >= REPORT_SECONDS:
                told = time.monotonic()
                self._progressed.emit(progress.done, progress.total)
        self._work.close()
        return None


class Jobs(QObject):
    """The jobs of a part of the window, at most one of each kind that counts: the latest."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._latest: dict[str, Job] = {}
        self._all: list[Job] = []

    def start(
        self,
        kind: str,
        work: Work,
        done: Callable[[Any], None],
        failed: Callable[[str], None],
        progressed: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Begin work, in place of what is under way of its kind."""
        self.cancel(kind)
        self._all = [job for job in self._all if not job.ended]
        job = Job(work, done, failed, progressed, self)
        self._latest[kind] = job
        self._all.append(job)

    def cancel(self, kind: str) -> None:
        """Have the job of a kind come to nothing."""
        if kind in self._latest:
            self._latest.pop(kind).cancel()

    def busy(self, kind: str) -> bool:
        """Whether a job of a kind is under way."""
        return kind in self._latest and not self._latest[kind].ended

    def shut_down(self) -> None:
        """Cancel all, and wait for their threads."""
        self._latest.clear()
        for job in self._all:
            job.cancel()
        for job in self._all:
            job.wait()
        self._all.clear()
