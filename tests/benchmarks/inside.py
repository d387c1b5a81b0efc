"""How late a timer of 10 ms is while one draws with the Inside tab open, and how long its work takes.

``python tests/benchmarks/inside.py [--json]`` runs each measurement in a process of its own, offscreen, on the shipped
networks. Run it on a machine that is otherwise quiet. The bar is one frame: a p99 of 16 ms or less.
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
    """The application, and its Inside tab with a panel open and a unit in the middle of the network chosen."""
    application, window = measuring.open_window()  # which limits BLAS, and so comes before anything that imports NumPy

    from PySide6.QtWidgets import QPushButton

    from digitpad.gui.inspect.layers_view import Selection

    window.resize(*size)
    window.show()
    tab = measuring.tab(window, "Inside")
    window.show_page(3)
    measuring.run_for(application, 0.3)
    tab._source.setCurrentIndex(network)
    button = tab.findChild(QPushButton, f"panels_{panel}")
    assert button is not None
    button.click()
    tab.view.choose(Selection(2, 3, 4, 4) if network == 1 else Selection(2, 3))
    measuring.run_for(application, 0.5)
    return application, tab


def drawing(panel: str, network: int, size: tuple[int, int]) -> dict[str, Any]:
    """A pen moves on the tab's pad, and every number of the network follows."""
    application, tab = _opened(panel, network, size)
    reads, busy = [0], time.thread_time()
    read = tab._tracer.trace

    def counted(image: Any) -> Any:
        reads[0] += 1
        return read(image)

    tab._tracer.trace = counted
    result = measuring.lateness(application, SECONDS, measuring.pen(tab.pad, 10**9))
    tab.shut_down()
    each = (time.thread_time() - busy) * 1000 / reads[0]
    return {**result, "readings_per_second": round(reads[0] / SECONDS), "gui_cpu_ms_per_reading": round(each, 2)}


def editing() -> dict[str, Any]:
    """Weights are pruned more and more, and the accuracy is measured anew each time, while nothing is drawn."""
    application, tab = _opened("edit", 1, (1120, 800))
    share = [0]

    def more() -> None:
        share[0] = (share[0] + 1) % 90
        tab.edits._pruned.setValue(share[0])

    from PySide6.QtCore import QTimer

    timer = QTimer()
    timer.timeout.connect(more)
    timer.start(50)
    result = measuring.lateness(application, SECONDS, None)
    timer.stop()
    tab.edits._pruned.setValue(50)
    begin = time.perf_counter()
    while tab._editing.busy or tab._measuring.busy:
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
