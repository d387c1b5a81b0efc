"""Python's cyclic garbage collector, run in the GUI thread only.

By itself, the collector runs in whichever thread allocates. In a worker it would free widgets outside the GUI thread,
which crashes Qt.
"""

import gc
import math

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MS = 500


class GuiThreadCollector(QObject):
    """Collector that replaces automatic collection: a timer of the GUI thread collects by the same thresholds.

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
    """Collect the oldest generation that is due.

    Python counts allocations for the youngest generation, and collections for the others. A timer collects less often
    than allocations would. Therefore many allocations also make an older generation due.
    """
    youngest, *older = gc.get_threshold()
    n_allocated = gc.get_count()[0]
    limits = [youngest * math.prod(older[:generation]) for generation in range(3)]
    counts_are_due = [count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    for generation in (2, 1, 0):
        if counts_are_due[generation] or n_allocated > limits[generation] > 0:
            gc.collect(generation)
            return
