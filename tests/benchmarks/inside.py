"""Responsiveness of the Inside tab: the lateness of a 10 ms timer while a pen draws, and the time of its work.

``python tests/benchmarks/inside.py [--json]`` runs each measurement in its own process, offscreen, on the built-in
networks. Run it on an otherwise idle machine. The target is one frame: a p99 of 16 ms or less.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import measuring  # noqa: E402

SECONDS = 10


def _opened(panel: str, network: int, size: tuple[int, int]) -> tuple[Any, Any]:
    """Return the application and its Inside tab, with a panel open and a unit in the middle of the network selected."""
    application, window = measuring.open_window()  # limits BLAS, so it comes before imports of NumPy

    from PySide6.QtWidgets import QPushButton

    from digitpad.gui.inspect.layers_view import Selection

    window.resize(*size)
    window.show()
    tab = measuring.tab(window, "Inside")
    window.show_page(3)
    measuring.run_for(application, 0.3)
    tab.network_choice.setCurrentIndex(network)
    button = tab.findChild(QPushButton, f"panels_{panel}")
    assert button is not None
    button.click()
    tab.view.choose(Selection(2, 3, 4, 4) if network == 1 else Selection(2, 3))
    measuring.run_for(application, 0.5)
    return application, tab


def drawing(panel: str, network: int, size: tuple[int, int]) -> dict[str, Any]:
    """Draw on the pad of the tab, while it shows every activation of the network."""
    application, tab = _opened(panel, network, size)
    n_traces, cpu_begin = [0], time.thread_time()
    trace = tab.tracer.trace

    def counted(image: Any) -> Any:
        n_traces[0] += 1
        return trace(image)

    tab.tracer.trace = counted
    result = measuring.lateness(application, SECONDS, measuring.pen(tab.pad, 10**9))
    tab.shut_down()
    milliseconds = (time.thread_time() - cpu_begin) * 1000 / n_traces[0]
    return {
        **result,
        "readings_per_second": round(n_traces[0] / SECONDS),
        "gui_cpu_ms_per_reading": round(milliseconds, 2),
    }


def editing() -> dict[str, Any]:
    """Prune more and more weights; the accuracy is measured after each edit, and nothing is drawn."""
    application, tab = _opened("edit", 1, (1120, 800))
    percent = [0]

    def prune_more() -> None:
        percent[0] = (percent[0] + 1) % 90
        tab.edit_panel._pruned.setValue(percent[0])

    from PySide6.QtCore import QTimer

    timer = QTimer()
    timer.timeout.connect(prune_more)
    timer.start(50)
    result = measuring.lateness(application, SECONDS, None)
    timer.stop()
    tab.edit_panel._pruned.setValue(50)
    begin = time.perf_counter()
    while tab.editing.busy or tab.measuring.busy:
        measuring.run_for(application, 0.01)
    measured = time.perf_counter() - begin
    tab.shut_down()
    return {**result, "seconds_to_accuracy_of_20_000": round(measured, 2)}


MEASUREMENTS: dict[str, measuring.Measure] = {
    "drawing_convolutional": partial(drawing, "unit", 1, (1120, 800)),
    "drawing_convolutional_1920": partial(drawing, "unit", 1, (1920, 1080)),
    "drawing_dense": partial(drawing, "unit", 2, (1120, 800)),
    "drawing_softmax": partial(drawing, "softmax", 1, (1120, 800)),
    "drawing_nearest": partial(drawing, "nearest", 1, (1120, 800)),
    "drawing_measuring": partial(drawing, "edit", 1, (1120, 800)),
    "editing": editing,
}

if __name__ == "__main__":
    measuring.run(__file__, __doc__, MEASUREMENTS)
