"""Short jobs in a thread beside the window's, one after another: reading folders and files that may be slow."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from digitpad.errors import DigitpadError


@dataclass(frozen=True)
class _Job:
    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[DigitpadError], None]


class Worker(QObject):
    """Does jobs in the order in which they were asked for; what they come to is told in the window's thread.

    Its thread begins with the first job and ends with `close`, which whoever made the worker has to call.
    """

    _over = Signal(object, object)  # whom to tell, and what

    def __init__(self, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._jobs: dict[str, _Job] = {}
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._over.connect(self._tell)

    def do(
        self, key: str, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[DigitpadError], None]
    ) -> None:
        """Have ``work`` done, and then one of the others called; a job of the same key that waits is replaced."""
        with self._condition:
            if self._closed:
                return
            self._jobs[key] = _Job(work, done, failed)
            self._condition.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until what was asked for is done, and end; nobody is told any more."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _tell(self, whom: Callable[[Any], None], what: Any) -> None:
        if not self._closed:
            whom(what)

    # In its own thread.

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self._over.emit(job.done, job.work())
            except DigitpadError as error:
                self._over.emit(job.failed, error)
            except Exception as error:  # it would vanish with the thread, and the jobs after it with it
                self._over.emit(job.failed, DigitpadError(f"{type(error).__name__}: {error}"))

    def _next(self) -> _Job | None:
        with self._condition:
            while not self._jobs:
                if self._closed:
                    return None
                self._condition.wait()
            return self._jobs.pop(next(iter(self._jobs)))
