"""Helpers of the window benchmarks: a process for each measurement, the window, a simulated pen, timer lateness."""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

Measure = Callable[[], dict[str, Any]]


def run(script: str, description: str | None, measurements: Mapping[str, Measure], *parts: Measure) -> None:
    """Run the command line of a benchmark: all measurements, each in its own process.

    The hidden option ``--one`` runs a single measurement in this process. ``parts`` are measurements that only other
    measurements start.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps({**measurements, **{part.__name__: part for part in parts}}[options.one]()))
        return
    results = {}
    for name in measurements:
        results[name] = in_a_process(script, name)
        if not options.json:
            print_result(name, results[name])
    if options.json:
        print(json.dumps(results))


def in_a_process(script: str, *names: str) -> dict[str, Any]:
    """Run a measurement offscreen in its own process, and return its result; report the start on standard error."""
    print(f"running {' '.join(names)}", file=sys.stderr)
    # Keep compiled modules, as an installation does.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "digitpad-benchmark-cache"),
        "QT_QPA_PLATFORM": "offscreen",
        "BENCHMARK_BEGIN": repr(time.time()),
    }
    command = [sys.executable, script, "--one", *names]
    output = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    ).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def print_result(name: str, result: Mapping[str, Any]) -> None:
    """Print the result of a measurement."""
    print(f"{name:28}", "  ".join(f"{key} {value}" for key, value in result.items()), flush=True)


def open_window() -> tuple[Any, Any]:
    """Build the application and its window, not yet shown, with new settings in a temporary folder."""
    from digitpad.system import blas_threads

    os.environ["DIGITPAD_HOME"] = tempfile.mkdtemp()
    blas_threads.limit_threads(blas_threads.default_thread_count())
    from digitpad.app import build

    return build(None)


def tab(window: Any, title: str) -> Any:
    """Return a tab of the window; build it if necessary."""
    page = next(page for page in window.pages if page.title == title)
    return window.page(page.load())


def run_for(application: Any, seconds: float) -> None:
    """Process events for a number of seconds."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        application.processEvents()
        time.sleep(0.0005)


def lateness(application: Any, seconds: float, acts: Iterator[Callable[[], object]] | None) -> dict[str, float]:
    """Return percentiles of the lateness of a 10 ms timer, in milliseconds.

    Meanwhile, one of ``acts`` is called every 8 ms.
    """
    from PySide6.QtCore import Qt, QTimer

    late: list[float] = []
    due = [time.perf_counter() + 0.01]

    def tick() -> None:
        now = time.perf_counter()
        late.append((now - due[0]) * 1000)
        due[0] = now + 0.01

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    acting = QTimer()
    acting.setTimerType(Qt.TimerType.PreciseTimer)
    if acts is not None:
        acting.timeout.connect(lambda: next(acts)())
        acting.start(8)
    timer.start(10)
    QTimer.singleShot(int(seconds * 1000), application.exit)  # quit() would ask to close the window first
    application.exec()
    timer.stop()
    acting.stop()
    return percentiles([max(0.0, milliseconds) for milliseconds in late], (50, 99, 100))


def pen(pad: Any, n_events: int) -> Iterator[Callable[[], None]]:
    """Yield mouse actions that draw loops; every 200 events the button is released and the pad cleared."""
    from PySide6.QtCore import QEvent

    from tests.unit.gui.hand import mouse

    side = pad.width()
    for number in range(n_events):
        phase = number % 200
        angle = phase / 200 * 2 * math.pi
        position = (side * (0.5 + 0.3 * math.sin(angle)), side * (0.5 + 0.3 * math.sin(2 * angle)))
        kind = {0: QEvent.Type.MouseButtonPress, 199: QEvent.Type.MouseButtonRelease}.get(phase, QEvent.Type.MouseMove)
        if phase == 0:
            pad.clear()
        yield lambda kind=kind, position=position: mouse(pad, kind, position)  # type: ignore[misc]


def percentiles(values: list[float], percents: tuple[int, ...]) -> dict[str, float]:
    """Return percentiles of the values by name: ``p50``, ``p99``, and ``max`` for 100."""
    ordered = sorted(values)
    names = {50: "p50", 99: "p99", 100: "max"}
    return {names[p]: round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 2) for p in percents}
