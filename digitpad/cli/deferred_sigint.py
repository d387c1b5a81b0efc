"""Deferred Ctrl-C: it takes effect at a safe moment, not in the middle of a write or a library call."""

import signal
from types import FrameType, TracebackType
from typing import Self


class DeferredSigint:
    """Context manager in which the first Ctrl-C waits for the next `check`; a second Ctrl-C takes effect at once.

    Use it only in the main thread, where Python handles signals.
    """

    def __enter__(self) -> Self:
        self._noted = False
        self._previous = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed since the last one was raised."""
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted:
            signal.default_int_handler(number, frame)
        self._noted = True
