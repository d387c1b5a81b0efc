"""Duration of an evaluation in the window, and responsiveness of the Evaluate tab.

``python tests/benchmarks/evaluate.py [--json]`` runs each measurement in its own process, offscreen. It measures the
wall time and CPU time for 10,000 digits with the built-in network, and the lateness of a 10 ms timer during an
evaluation, while 10,000 tiles are scrolled, while the feature map is zoomed, and while diagrams are drawn. Run it on an
otherwise idle machine.
"""

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import measuring  # noqa: E402

SECONDS = 10


def evaluating() -> dict[str, Any]:
    """Evaluate the test set repeatedly; measure from the click until the figures are shown."""
    application, window = _open()
    tab = measuring.tab(window, "Evaluate")
    seconds: list[float] = []
    started = [0.0]
    cpu_begin = time.process_time()

    def evaluate() -> None:
        if not tab.busy:
            if started[0]:
                seconds.append(time.perf_counter() - started[0])
            started[0] = time.perf_counter()
            tab.evaluate_or_stop()

    late = measuring.lateness(application, 3 * SECONDS, itertools.repeat(evaluate))
    cpu_seconds = (time.process_time() - cpu_begin) / (len(seconds) + 1)  # the last evaluation is nearly finished
    tab.shut_down()
    seconds.sort()
    return {
        "seconds": round(seconds[len(seconds) // 2], 2),
        "best": round(seconds[0], 2),
        "cpu_seconds": round(cpu_seconds, 2),
        **late,
    }


def scrolling() -> dict[str, Any]:
    """Scroll the tiles of all test digits by 24 pixels every 8 ms."""
    application, window = _evaluated()
    tab = measuring.tab(window, "Evaluate")
    tab.show_page(1)
    measuring.run_for(application, 0.5)
    bar = tab.browser.view.verticalScrollBar()
    assert tab.browser.model.rowCount() == 10_000

    def moves() -> Iterator[Callable[[], None]]:
        for number in itertools.count(1):
            yield lambda number=number: bar.setValue(24 * number % bar.maximum())  # type: ignore[misc]

    return measuring.lateness(application, SECONDS, moves())


def mapping() -> dict[str, Any]:
    """Zoom the feature map of the test set in and out every 8 ms."""
    application, window = _evaluated()
    tab = measuring.tab(window, "Evaluate")
    tab.show_page(4)
    measuring.run_for(application, 0.5)

    def moves() -> Iterator[Callable[[], None]]:
        for number in itertools.count():
            factor = 1.05 if number % 100 < 50 else 1 / 1.05
            yield lambda factor=factor: tab.map.zoom_by(factor)  # type: ignore[misc]

    return measuring.lateness(application, SECONDS, moves())


def drawing_diagrams() -> dict[str, Any]:
    """Draw diagrams in turn, each as soon as the previous one is shown."""
    application, window = _evaluated()
    tab = measuring.tab(window, "Evaluate")
    tab.show_page(3)
    n_drawn = [0]

    def draw_next() -> None:
        if tab.diagram.is_drawn:
            n_drawn[0] += 1
            tab.diagram_choice.choose(n_drawn[0] % 2)

    late = measuring.lateness(application, SECONDS, itertools.repeat(draw_next))
    tab.shut_down()
    return {"diagrams": n_drawn[0], **late}


def _open() -> tuple[Any, Any]:
    application, window = measuring.open_window()
    window.show()
    window.show_page(2)
    measuring.run_for(application, 0.5)
    return application, window


def _evaluated() -> tuple[Any, Any]:
    application, window = _open()
    measuring.tab(window, "Evaluate").evaluate_or_stop()
    while measuring.tab(window, "Evaluate").busy:
        measuring.run_for(application, 0.05)
    return application, window


MEASUREMENTS = {measure.__name__: measure for measure in (evaluating, scrolling, mapping, drawing_diagrams)}

if __name__ == "__main__":
    measuring.run(__file__, __doc__, MEASUREMENTS)
