"""Responsiveness of the window during training, the cost for the training, and memory use over time.

``python tests/benchmarks/responsiveness.py [--json]`` trains a dense network and a LeNet in the window, offscreen, with
live curves and a pen that draws on the pad. It prints the lateness of a 10 ms timer, alone and with a second busy
process; the steps per second in the window as a share of those of ``digitpad train``; and the memory after increasing
numbers of steps. Each measurement has its own process. Run it on an otherwise idle machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks import measuring  # noqa: E402 (found by the line above)

RECIPES = {
    "dense": {"network.hidden": [256, 128], "training.epochs": 1000},
    "lenet": {"network.hidden": ["5x5x32", "pool", "5x5x64", "pool", 128], "training.epochs": 1000},
}
SECONDS = 15
STEPS = (5_000, 25_000, 50_000, 75_000, 100_000)


def main() -> None:
    """Run all measurements; the hidden option ``--one`` runs a single one in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the comparison with `digitpad train`")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, recipe = options.one
        print(json.dumps(globals()[name](recipe)))
        return
    results: dict[str, Any] = {"idle": measuring.in_a_process(__file__, "lateness_idle", "dense")}
    for recipe in RECIPES:
        for tab in ("curves", "drawing"):
            for load in ("alone", "contended"):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if load == "contended" else None
                try:
                    results[f"{recipe}, {tab}, {load}"] = measuring.in_a_process(__file__, f"lateness_{tab}", recipe)
                finally:
                    if busy is not None:
                        busy.kill()
                        busy.wait()
        rates: dict[str, list[float]] = {"window": [], "train": []}
        for _ in range(options.rounds):  # in turns
            for kind, values in rates.items():
                values.append(measuring.in_a_process(__file__, f"steps_in_{kind}", recipe)["per_second"])
        medians = {kind: round(statistics.median(values), 1) for kind, values in rates.items()}
        results[f"{recipe}, steps per second"] = {**medians, "share": round(medians["window"] / medians["train"], 3)}
    results["memory, MB after steps"] = measuring.in_a_process(__file__, "memory", "dense")
    if options.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            measuring.print_result(name, result)


def lateness_idle(recipe: str) -> dict[str, Any]:
    """Measure the idle window, for comparison."""
    application, window = measuring.open_window()
    window.show()
    return measuring.lateness(application, 5, None)


def lateness_curves(recipe: str) -> dict[str, Any]:
    """Measure with the Train tab shown; the pen draws on the hidden pad, which is still read."""
    return _lateness(recipe, tab=1)


def lateness_drawing(recipe: str) -> dict[str, Any]:
    """Measure with the Draw tab shown: ink, prediction and probability bars are painted."""
    return _lateness(recipe, tab=0)


def _lateness(recipe: str, tab: int) -> dict[str, Any]:
    application, window = _training(recipe)
    window.show_page(tab)
    measuring.run_for(application, 0.5)
    result = measuring.lateness(application, SECONDS, measuring.pen(measuring.tab(window, "Draw").pad, 10**9))
    measuring.tab(window, "Train").finish_work()
    return result


def steps_in_window(recipe: str) -> dict[str, Any]:
    """Measure steps per second in the window, with live curves."""
    application, window = _training(recipe)
    begin, steps_before = time.perf_counter(), measuring.tab(window, "Train").board.n_steps
    application.processEvents()
    from PySide6.QtCore import QTimer

    QTimer.singleShot(SECONDS * 1000, application.exit)
    application.exec()
    rate = (measuring.tab(window, "Train").board.n_steps - steps_before) / (time.perf_counter() - begin)
    measuring.tab(window, "Train").finish_work()
    return {"per_second": rate}


def steps_in_train(recipe: str) -> dict[str, Any]:
    """Measure steps per second of ``digitpad train``, with the number of BLAS threads of the window."""
    import tempfile

    from digitpad.system import blas_threads

    os.environ["DIGITPAD_HOME"] = tempfile.mkdtemp()
    blas_threads.limit_threads(blas_threads.default_thread_count())
    from digitpad.datasets.dataset import mnist
    from digitpad.runs.recorder import Recorder
    from digitpad.runs.run import Run
    from digitpad.training.events import StepDone
    from digitpad.training.recipe import Recipe
    from digitpad.training.trainer import Trainer

    settings, dataset = Recipe().with_values(RECIPES[recipe]), mnist()
    trainer = Trainer(settings, dataset)
    with Recorder(trainer, Run.create(settings, dataset, trainer.n_threads), dataset) as recorder:
        begin = steps_before = 0.0
        for progress in recorder.train():
            now = time.perf_counter()
            if isinstance(progress, StepDone) and not begin and progress.step >= 20:
                begin, steps_before = now, progress.step
            if begin and now - begin >= SECONDS:
                return {"per_second": (trainer.step - steps_before) / (now - begin)}
    raise AssertionError("the training finished too early")


def memory(recipe: str) -> dict[str, Any]:
    """Measure the memory of the process, in MB, while a tiny network trains with live curves."""
    application, window = _training(recipe, {"network.hidden": [8], "training.batch_size": 8})
    megabytes = {}
    for steps in STEPS:
        while measuring.tab(window, "Train").board.n_steps < steps:
            measuring.run_for(application, 0.2)
        megabytes[f"{steps:,}"] = _resident_mb()
        print(f"{steps:,} of {STEPS[-1]:,} steps", file=sys.stderr)
    measuring.tab(window, "Train").finish_work()
    return megabytes


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise OSError("/proc/self/status has no VmRSS")


def _training(recipe: str, settings: dict[str, Any] | None = None) -> tuple[Any, Any]:
    application, window = measuring.open_window()
    from digitpad.training.recipe import Recipe

    window.show()
    window.show_page(1)
    measuring.run_for(application, 0.5)
    measuring.tab(window, "Train").form.set_recipe(Recipe().with_values({**RECIPES[recipe], **(settings or {})}))
    measuring.tab(window, "Train").train()
    while measuring.tab(window, "Train").board.n_steps < 20:
        measuring.run_for(application, 0.1)
    return application, window


if __name__ == "__main__":
    main()
