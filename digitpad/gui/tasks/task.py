"""Work off the GUI thread: a generator that yields progress and returns a result.

A `TaskRunner` runs tasks, by one of three policies. The signals of a `Task` are emitted in the GUI thread. The thread
lives while there is work. It is a `threading.Thread`, as a QThread that still runs at exit aborts the program.

A task, its work and its results may refer to widgets, and a widget freed outside the GUI thread crashes the program. So
the thread lets go of all of them before the GUI thread hears that the task ended, and only a number passes through Qt.
"""

import contextlib
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from digitpad.errors import DigitpadError

Work = Callable[[], Any]
"""A function, or a generator function: what it yields, unless None, is progress; what it returns is the result."""

Slot = Callable[..., object] | None

SHUT_DOWN_SECONDS = 30.0

_log = logging.getLogger(__name__)
_local = threading.local()
_numbers = itertools.count()


class Policy(Enum):
    """Which task runs when.

    QUEUE runs tasks in order; a waiting task is replaced by a new one with the same key. LATEST cancels the task
    before. IDLE is LATEST on the GUI thread: it runs the generator piece by piece while no event waits.
    """

    QUEUE = auto()
    LATEST = auto()
    IDLE = auto()


class TaskCancelledError(Exception):
    """Raised inside the work of a task that was cancelled."""


class Task(QObject):
    """One piece of work. It ends with exactly one of `finished`, `failed` and `cancelled`, or silently at shut-down."""

    progressed = Signal(object)  # what the work yields or reports
    finished = Signal(object)  # its result
    failed = Signal(object)  # the exception; `error_message` turns it into text
    cancelled = Signal()

    def __init__(self, work: Work, key: str = "") -> None:
        super().__init__()
        self.work = work
        self.key = key
        self.is_cancelled = False
        self.number = next(_numbers)
        self.messages: deque[tuple[str, Any]] = deque()  # name of a signal and its value, not yet delivered

    def cancel(self) -> None:
        """End the work after its current piece."""
        self.is_cancelled = True

    def pieces(self) -> Generator[Any, None, Any]:
        """Run the work, stopping at the next piece once the task is cancelled; return the result."""
        result = self.work()
        if not isinstance(result, Generator):
            return result
        with contextlib.closing(result):
            while not self.is_cancelled:
                try:
                    progress = next(result)
                except StopIteration as end:
                    return end.value
                yield progress
        raise TaskCancelledError


class TaskRunner(QObject):
    """Runner of tasks by a policy.

    Parameters
    ----------
    name : str
        Name of the thread.
    policy : Policy
    parent : QObject
        The page or dialog that the tasks belong to; `end_tasks` finds the runner by it.
    """

    _message = Signal(int)  # number of the task that has a message

    def __init__(self, name: str, policy: Policy, parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._policy = policy
        self._lock = threading.Lock()
        self._waiting: list[Task] = []
        self._open: dict[int, Task] = {}  # by number: started, and its end not yet delivered
        self._thread: threading.Thread | None = None
        self._runs = False  # whether the thread will look for another task
        self._closed = False
        self._idle: Generator[Any, None, Any] | None = None
        self._timer = QTimer(self)  # 0 ms: it fires once all events are handled
        self._timer.timeout.connect(self._run_piece)
        self._message.connect(self._receive)

    @property
    def busy(self) -> bool:
        """Whether a task that was not cancelled has not ended yet."""
        return any(not task.is_cancelled for task in self._open.values())

    def start(
        self,
        work: Work,
        *,
        key: str = "",
        progressed: Slot = None,
        finished: Slot = None,
        failed: Slot = None,
        cancelled: Slot = None,
    ) -> Task:
        """Start a task, and connect these slots to its signals; after `shut_down` nothing happens."""
        task = Task(work, key)
        for signal, slot in (
            (task.progressed, progressed),
            (task.finished, finished),
            (task.failed, failed),
            (task.cancelled, cancelled),
        ):
            if slot is not None:
                signal.connect(slot)
        if self._closed:
            task.cancel()
            return task
        if self._policy is not Policy.QUEUE:
            self.cancel()
        self._open[task.number] = task
        if self._policy is Policy.IDLE:
            self._idle = task.pieces()
            self._timer.start(0)
            return task
        with self._lock:
            if key:
                for other in [waiting for waiting in self._waiting if waiting.key == key]:
                    self._waiting.remove(other)
                    del self._open[other.number]
            self._waiting.append(task)
            if not self._runs:
                self._runs = True
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        return task

    def cancel(self) -> None:
        """Cancel every task."""
        for task in self._open.values():
            task.cancel()
        if self._idle is not None:
            self._timer.stop()
            self._idle.close()
            self._idle = None
            self._deliver(self._idle_task, "cancelled", None)

    def close(self) -> None:
        """Emit no signal and start no task from now on; cancel the tasks, except in a queue, which is completed."""
        self._closed = True
        if self._policy is not Policy.QUEUE:
            self.cancel()

    def wait(self, seconds: float = SHUT_DOWN_SECONDS) -> bool:
        """Wait for the thread's end; return whether it ended."""
        if self._thread is not None:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

    def shut_down(self) -> None:
        """Close, and wait for the thread's end."""
        self.close()
        self.wait()

    # In the GUI thread.

    @property
    def _idle_task(self) -> Task:
        """The one task of an idle runner."""
        (task,) = self._open.values()
        return task

    def _receive(self, number: int) -> None:
        task = self._open[number]
        self._deliver(task, *task.messages.popleft())

    def _deliver(self, task: Task, signal: str, value: Any) -> None:
        ended = signal != "progressed"
        if ended:
            del self._open[task.number]
        if self._closed:
            return
        if signal == "cancelled" or task.is_cancelled:
            if ended:
                task.cancelled.emit()
        else:
            getattr(task, signal).emit(value)

    def _run_piece(self) -> None:
        assert self._idle is not None
        task, pieces = self._idle_task, self._idle
        signal, value = _next_piece(task, pieces)
        if self._idle is not pieces:  # the work itself started another task
            return
        if signal != "progressed":
            self._timer.stop()
            self._idle = None
        if signal != "progressed" or value is not None:
            self._deliver(task, signal, value)

    # In the thread.

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._runs = False
                    return
                task = self._waiting.pop(0)
            number = task.number
            _local.report = self._reporter(task)
            pieces = task.pieces()
            while (message := _next_piece(task, pieces))[0] == "progressed":
                self._tell_progress(task, message[1])
            task.messages.append(message)
            del task, pieces, message, _local.report
            self._notify(number)

    def _tell_progress(self, task: Task, progress: Any) -> None:
        if progress is not None:
            task.messages.append(("progressed", progress))
            self._notify(task.number)

    def _notify(self, number: int) -> None:
        """Tell the GUI thread that a task has a message."""
        with contextlib.suppress(RuntimeError):  # the runner was deleted meanwhile, so nobody waits for it
            self._message.emit(number)

    def _reporter(self, task: Task) -> Callable[[Any], None]:
        def report(progress: Any) -> None:
            if task.is_cancelled:
                raise TaskCancelledError
            self._tell_progress(task, progress)

        return report


def report(progress: Any = None) -> None:
    """Report progress from inside a function that a task calls, where it cannot yield; outside a task do nothing.

    Raises
    ------
    TaskCancelledError
        If the task was cancelled.
    """
    if (reporter := getattr(_local, "report", None)) is not None:
        reporter(progress)


def end_tasks(parent: QObject) -> None:
    """End all tasks of a page, a dialog or a window and of everything in it; they emit no signal any more."""
    runners = parent.findChildren(TaskRunner)
    for runner in runners:
        runner.close()
    for runner in runners:
        runner.wait()


def error_message(error: BaseException) -> str:
    """Return one line that says why a task failed."""
    if isinstance(error, DigitpadError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory."
    return f"{type(error).__name__}: {error}"


def as_digitpad_error(error: BaseException) -> DigitpadError:
    """Return the error itself, or one that the user can read."""
    return error if isinstance(error, DigitpadError) else DigitpadError(error_message(error))


def _next_piece(task: Task, pieces: Generator[Any, None, Any]) -> tuple[str, Any]:
    """Run one piece; return the name of the signal to emit and its value."""
    try:
        if task.is_cancelled:
            raise TaskCancelledError
        return "progressed", next(pieces)
    except StopIteration as end:
        return "finished", end.value
    except TaskCancelledError:
        return "cancelled", None
    except (DigitpadError, MemoryError) as error:
        return "failed", error
    except Exception as error:  # in a thread it would otherwise be lost
        _log.exception("A task failed")
        return "failed", error
