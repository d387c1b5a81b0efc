"""Throttle: limits how often a function is called, without losing the last request."""

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer


class Throttle(QObject):
    """Caller of ``action`` at most once every ``interval_ms``; requests in between are merged into one call."""

    def __init__(self, action: Callable[[], None], interval_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._action = action
        self._interval_ms = interval_ms
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._call)

    @property
    def is_pending(self) -> bool:
        """Whether a call waits for the interval to pass."""
        return self._timer.isActive()

    def request(self) -> None:
        """Call the action now, or when the interval has passed."""
        if self.is_pending:
            return
        elapsed = self._since.elapsed() if self._since.isValid() else self._interval_ms
        if elapsed >= self._interval_ms:
            self._call()
        else:
            self._timer.start(self._interval_ms - elapsed)

    def _call(self) -> None:
        self._since.start()
        self._action()
