"""Python's cyclic garbage collector, run in the GUI thread only.

By itself, the collector runs in whichever thread allocates. In a worker it would free widgets outside the GUI thread,
which crashes Qt.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MS = 500


class GuiThreadCollector(QObject):
    """Switches automatic collection off, and collects by the same thresholds in a timer of the GUI thread.

    Parameters
    ----------
    parent : QObject
        The application.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(_collect)
        self._timer.start(_INTERVAL_MS)


def _collect() -> None:
    """Collect the oldest generation whose count is above its threshold; younger ones are collected with it."""
    counts_and_thresholds = list(zip(gc.get_count(), gc.get_threshold(), strict=True))
    for generation, (count, threshold) in reversed(list(enumerate(counts_and_thresholds))):
        if count > threshold > 0:
            gc.collect(generation)
            return
