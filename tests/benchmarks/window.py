"""How quickly the window opens, answers the pen, and stays awake while it trains; and what memory that takes.

``python tests/benchmarks/window.py [--json]`` runs each measurement in a process of its own, offscreen, and prints
medians and percentiles. Run it on a machine that is otherwise quiet.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Run the measurements, or (in a process of its own) the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--one", choices=MEASUREMENTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(MEASUREMENTS[options.one]()))
        return
    results = {"start_ms": _start()}
    for name in MEASUREMENTS:
        if name != "first_paint":
            results[name] = _in_a_process(name)
    if options.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            print(name, "  ".join(f"{key} {value}" for key, value in result.items()))


def _in_a_process(name: str) -> dict[str, Any]:
    # Compiled modules are kept, as an installation has them, whatever this environment says.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "digitpad-benchmark-cache"),
        "QT_QPA_PLATFORM": "offscreen",
        "BENCHMARK_BEGIN": repr(time.time()),
    }
    command = [sys.executable, __file__, "--one", name]
    output = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=120
    ).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def _start() -> dict[str, Any]:
    runs = [_in_a_process("first_paint") for _ in range(11)][1:]  # the first one warms the cache
    return {
        **_percentiles([run["ms"] for run in runs], (50, 100)),
        "matplotlib_imported": any(run["matplotlib_imported"] for run in runs),
    }


def first_paint() -> dict[str, Any]:
    """From the start of the process to the window's first paint."""
    from PySide6.QtCore import QEvent, QObject

    application, window = _window()

    painted: list[float] = []

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.Paint:
                painted.append(time.time())
            return False

    watcher = Watcher()
    window.draw_tab.pad.installEventFilter(watcher)
    window.show()
    while not painted:
        application.processEvents()
    application.processEvents()
    milliseconds = (time.time() - float(os.environ["BENCHMARK_BEGIN"])) * 1000
    return {"ms": milliseconds, "matplotlib_imported": "matplotlib" in sys.modules}


def pen_to_prediction() -> dict[str, Any]:
    """From each of a pen's events, 4 ms apart, to the end of the paint that shows the reading with it."""
    application, window = _window()
    window.show()
    tab = window.draw_tab
    waiting: list[float] = []
    latencies: list[float] = []
    show = tab._show

    def shown(prediction: Any) -> None:
        show(prediction)
        tab.repaint()
        now = time.perf_counter()
        latencies.extend((now - begin) * 1000 for begin in waiting)
        waiting.clear()

    tab._show = shown
    for move in _pen(tab.pad, 3000):
        waiting.append(time.perf_counter())
        move()
        _run_for(application, 0.004)
    return _percentiles(latencies, (50, 99, 100))


def lateness_idle() -> dict[str, Any]:
    """How late a timer of 10 ms is while nothing happens: what the machine itself adds."""
    application, window = _window()
    window.show()
    return _lateness(application, 5, None)


def lateness_training_curves() -> dict[str, Any]:
    """The same while a network trains with live curves, and a pen moves on the pad."""
    return _lateness_while_training(tab=1)


def lateness_training_drawing() -> dict[str, Any]:
    """The same while it trains, the Draw tab shows, and the pen's ink and reading are painted."""
    return _lateness_while_training(tab=0)


def _lateness_while_training(tab: int) -> dict[str, Any]:
    application, window = _window()
    window.show()
    window.show_tab(1)
    _run_for(application, 0.5)
    window.train_tab.train()
    _run_for(application, 1.5)
    window.show_tab(tab)
    _run_for(application, 0.5)
    result = _lateness(application, 15, _pen(window.draw_tab.pad, 10**9))
    steps = len(window.train_tab._losses)
    window.train_tab.shut_down()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**result, "steps": steps, "peak_memory_mb": round(peak)}


def _lateness(application: Any, seconds: float, pen: Iterator[Callable[[], None]] | None) -> dict[str, Any]:
    from PySide6.QtCore import Qt, QTimer

    late: list[float] = []
    due = [time.perf_counter() + 0.01]

    def tick() -> None:
        now = time.perf_counter()
        late.append((now - due[0]) * 1000)
        due[0] = now + 0.01

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(False)
    timer.timeout.connect(tick)
    moving = QTimer()
    moving.setTimerType(Qt.TimerType.PreciseTimer)
    if pen is not None:
        moving.timeout.connect(lambda: next(pen)())
        moving.start(8)
    timer.start(10)
    QTimer.singleShot(int(seconds * 1000), application.exit)  # quit() would ask to close the window
    application.exec()
    timer.stop()
    moving.stop()
    return _percentiles([max(0.0, one) for one in late], (50, 99, 100))


def _pen(pad: Any, n_events: int) -> Iterator[Callable[[], None]]:
    """Moves of a mouse that draws loops, and lifts and clears now and then."""
    import math

    from PySide6.QtCore import QEvent

    sys.path.insert(0, str(ROOT))
    from tests.gui.hand import mouse

    side = pad.width()
    for number in range(n_events):
        phase = number % 200
        angle = phase / 200 * 2 * math.pi
        place = (side * (0.5 + 0.3 * math.sin(angle)), side * (0.5 + 0.3 * math.sin(2 * angle)))
        if phase == 0:
            pad.clear()
            yield lambda place=place: mouse(pad, QEvent.Type.MouseButtonPress, place)  # type: ignore[misc]
        elif phase == 199:
            yield lambda place=place: mouse(pad, QEvent.Type.MouseButtonRelease, place)  # type: ignore[misc]
        else:
            yield lambda place=place: mouse(pad, QEvent.Type.MouseMove, place)  # type: ignore[misc]


def _window() -> tuple[Any, Any]:
    """The application and its window, as `digitpad.app` puts them together, with settings of their own."""
    from digitpad import blas

    folder = tempfile.mkdtemp()
    os.environ["DIGITPAD_HOME"] = folder
    blas.limit_threads(blas.all_but_one())
    from digitpad.app import build

    return build(None)


def _run_for(application: Any, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.0005)


def _percentiles(values: list[float], percents: tuple[int, ...]) -> dict[str, float]:
    ordered = sorted(values)
    names = {50: "p50", 99: "p99", 100: "max"}
    return {names[p]: round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 2) for p in percents}


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    measure.__name__: measure
    for measure in (
        first_paint,
        pen_to_prediction,
        lateness_idle,
        lateness_training_curves,
        lateness_training_drawing,
    )
}

if __name__ == "__main__":
    main()
