"""How late a timer of 10 ms is while one draws with the Inside tab open, and how long its work takes.

``python tests/benchmarks/inside.py [--json]`` runs each measurement in a process of its own, offscreen, on the shipped
networks. Run it on a machine that is otherwise quiet. The bar is one frame: a p99 of 16 ms or less.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import window as benchmark  # noqa: E402

SECONDS = 10


def main() -> None:
    """Run the measurements, or (in a process of its own) the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--one", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(MEASUREMENTS[options.one]()))
        return
    results = {}
    for name in MEASUREMENTS:
        command = [sys.executable, __file__, "--one", name]
        environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
        output = subprocess.run(
            command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=120
        ).stdout
        results[name] = json.loads(output)
        if not options.json:
            print(name, "  ".join(f"{key} {value}" for key, value in results[name].items()))
    if options.json:
        print(json.dumps(results))


def _opened(panel: str, network: int, size: tuple[int, int]) -> tuple[Any, Any]:
    """The application, and its Inside tab with a panel open and a unit in the middle of the network chosen."""
    application, window = benchmark._window()  # which limits BLAS, and so comes before anything that imports NumPy

    from PySide6.QtWidgets import QPushButton

    from digitpad.gui.inside.layers_view import Chosen

    window.resize(*size)
    window.show()
    tab = window.inside_tab
    window.show_tab(window._pages.indexOf(tab))
    benchmark._run_for(application, 0.3)
    tab._source.setCurrentIndex(network)
    button = tab.findChild(QPushButton, f"panels_{panel}")
    assert button is not None
    button.click()
    tab.view.choose(Chosen(2, 3, 4, 4) if network == 1 else Chosen(2, 3))
    benchmark._run_for(application, 0.5)
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
    result = benchmark._lateness(application, SECONDS, benchmark._pen(tab.pad, 10**9))
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
    result = benchmark._lateness(application, SECONDS, None)
    timer.stop()
    tab.edits._pruned.setValue(50)
    begin = time.perf_counter()
    while tab._editing.busy or tab._measuring.busy:
        benchmark._run_for(application, 0.01)
    measured = time.perf_counter() - begin
    tab.shut_down()
    return {**result, "seconds_to_accuracy_of_20_000": round(measured, 2)}


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "drawing_convolutional": partial(drawing, "unit", 1, (1120, 800)),
    "drawing_convolutional_1920": partial(drawing, "unit", 1, (1920, 1080)),
    "drawing_dense": partial(drawing, "unit", 2, (1120, 800)),
    "drawing_softmax": partial(drawing, "softmax", 1, (1120, 800)),
    "drawing_nearest": partial(drawing, "nearest", 1, (1120, 800)),
    "drawing_measuring": partial(drawing, "edit", 1, (1120, 800)),
    "editing": editing,
}

if __name__ == "__main__":
    main()
