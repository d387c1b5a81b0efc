"""How long evaluating the test set takes in the window's background, and whether the window stays awake meanwhile.

``python tests/benchmarks/evaluate.py [--json]`` runs each measurement in a process of its own, offscreen: seconds for
10 000 digits with the shipped weights, and those for which cores were busy with it; and the lateness of a timer of
10 ms while it evaluates, while 10 000 tiles are scrolled, while the map is zoomed, and while diagrams are drawn. Run it
on a machine that is otherwise quiet.
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
    """The test set read over and over in the background, from the click to the figures shown."""
    application, window = _open()
    tab = measuring.tab(window, "Evaluate")
    seconds: list[float] = []
    begin = [0.0]
    cpu_begin = time.process_time()

    def again() -> None:
        if not tab.busy:
            if begin[0]:
                seconds.append(time.perf_counter() - begin[0])
            begin[0] = time.perf_counter()
            tab.evaluate_or_stop()

    late = measuring.lateness(application, 3 * SECONDS, itertools.repeat(again))
    cpu_seconds = (time.process_time() - cpu_begin) / (len(seconds) + 1)  # the last one is nearly done
    tab.shut_down()
    seconds.sort()
    return {
        "seconds": round(seconds[len(seconds) // 2], 2),
        "best": round(seconds[0], 2),
        "cpu_seconds": round(cpu_seconds, 2),
        **late,
    }


def scrolling() -> dict[str, Any]:
    """All digits of the test set as tiles, scrolled by 24 pixels every 8 ms."""
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
    """The map of the test set, zoomed in and out every 8 ms."""
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
    """One diagram after the other, each drawn as soon as the one before is shown."""
    application, window = _evaluated()
    tab = measuring.tab(window, "Evaluate")
    tab.show_page(3)
    n_drawn = [0]

    def again() -> None:
        if tab.diagram.is_drawn:
            n_drawn[0] += 1
            tab.diagram_choice.choose(n_drawn[0] % 2)

    late = measuring.lateness(application, SECONDS, itertools.repeat(again))
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
