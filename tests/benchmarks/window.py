"""Start time, pen latency, responsiveness during training, and peak memory of the window.

``python tests/benchmarks/window.py [--json]`` runs each measurement in its own process, offscreen, and prints medians
and percentiles. Run it on an otherwise idle machine.
"""

import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import measuring  # noqa: E402 (found by the line above)


def start_ms() -> dict[str, Any]:
    """Measure ten times from the start of a process to the first paint of the window."""
    runs = [measuring.in_a_process(__file__, "first_paint") for _ in range(11)][1:]  # the first run fills the caches
    return {
        **measuring.percentiles([run["ms"] for run in runs], (50, 100)),
        "matplotlib_imported": any(run["matplotlib_imported"] for run in runs),
    }


def first_paint() -> dict[str, Any]:
    """Measure from the start of this process to the first paint of the window."""
    from PySide6.QtCore import QEvent, QObject

    application, window = measuring.open_window()

    painted: list[float] = []

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Paint:
                painted.append(time.time())
            return False

    watcher = Watcher()
    measuring.tab(window, "Draw").pad.installEventFilter(watcher)
    window.show()
    while not painted:
        application.processEvents()
    application.processEvents()
    milliseconds = (time.time() - float(os.environ["BENCHMARK_BEGIN"])) * 1000
    return {"ms": milliseconds, "matplotlib_imported": "matplotlib" in sys.modules}


def pen_to_prediction() -> dict[str, Any]:
    """Measure from each pen event, 4 ms apart, to the end of the paint that shows its prediction."""
    application, window = measuring.open_window()
    window.show()
    tab = measuring.tab(window, "Draw")
    waiting: list[float] = []
    latencies: list[float] = []
    show = tab.show_prediction

    def show_and_measure(*shown: Any) -> None:
        show(*shown)
        tab.repaint()
        now = time.perf_counter()
        latencies.extend((now - begin) * 1000 for begin in waiting)
        waiting.clear()

    tab.show_prediction = show_and_measure
    for move in measuring.pen(tab.pad, 3000):
        waiting.append(time.perf_counter())
        move()
        measuring.run_for(application, 0.004)
    return measuring.percentiles(latencies, (50, 99, 100))


def lateness_idle() -> dict[str, Any]:
    """Measure the lateness of a 10 ms timer in the idle window, for comparison."""
    application, window = measuring.open_window()
    window.show()
    return measuring.lateness(application, 5, None)


def lateness_training_curves() -> dict[str, Any]:
    """Measure it while a network trains with live curves and a pen draws on the hidden pad."""
    return _lateness_while_training(tab=1)


def lateness_training_drawing() -> dict[str, Any]:
    """Measure it while a network trains and the Draw tab paints the ink and prediction of a pen."""
    return _lateness_while_training(tab=0)


def _lateness_while_training(tab: int) -> dict[str, Any]:
    application, window = measuring.open_window()
    window.show()
    window.show_page(1)
    measuring.run_for(application, 0.5)
    measuring.tab(window, "Train").train()
    measuring.run_for(application, 1.5)
    window.show_page(tab)
    measuring.run_for(application, 0.5)
    result = measuring.lateness(application, 15, measuring.pen(measuring.tab(window, "Draw").pad, 10**9))
    steps = measuring.tab(window, "Train").board.n_steps
    measuring.tab(window, "Train").finish_work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**result, "steps": steps, "peak_memory_mb": round(peak)}


MEASUREMENTS = {
    measure.__name__: measure
    for measure in (
        start_ms,
        pen_to_prediction,
        lateness_idle,
        lateness_training_curves,
        lateness_training_drawing,
    )
}

if __name__ == "__main__":
    measuring.run(__file__, __doc__, MEASUREMENTS, first_paint)
