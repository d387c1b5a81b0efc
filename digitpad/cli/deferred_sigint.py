"""Deferred Ctrl-C: it takes effect at a safe moment, not in the middle of a write or a library call."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

END_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that ask a program to end: Ctrl-C, `kill`, a closed terminal; on Windows SIGBREAK is sent for Ctrl-Break, a
closed console and the end of the session."""


class DeferredSigint:
    """Context manager in which the first of `END_SIGNALS` waits for the next `check`; a second takes effect at once.

    Use it only in the main thread, where Python handles signals.
    """

    def __enter__(self) -> Self:
        self._noted = False
        self._previous: dict[int, Any] = {}
        for number in END_SIGNALS:
            # A signal that is ignored, as SIGHUP by `nohup`, stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if the program was asked to end since the last one was raised."""
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._noted:
            signal.default_int_handler(number, frame)
        self._noted = True
