"""How awake the window stays while it trains, what that costs the training, and whether memory stays flat.

``python tests/benchmarks/responsiveness.py [--json]`` trains a dense network and a LeNet in the window, offscreen, with
live curves and a pen that draws on the pad, and prints how late a timer of 10 ms is: alone, and with a busy process
beside it; then the steps a second in the window as a share of those of ``digitpad train``; and the memory after ever
more steps. Each measurement has a process of its own. Run it on a machine that is otherwise quiet.
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
    """Run the measurements, or (in a process of its own) the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="of the comparison with `digitpad train`")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, recipe = options.one
        print(json.dumps(globals()[name](recipe)))
        return
    results: dict[str, Any] = {"idle": measuring.in_a_process(__file__, "lateness_idle", "dense")}
    for recipe in RECIPES:
        for place in ("curves", "drawing"):
            for beside in ("alone", "contended"):
                busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if beside == "contended" else None
                try:
                    results[f"{recipe}, {place}, {beside}"] = measuring.in_a_process(
                        __file__, f"lateness_{place}", recipe
                    )
                finally:
                    if busy is not None:
                        busy.kill()
                        busy.wait()
        rates: dict[str, list[float]] = {"window": [], "train": []}
        for _ in range(options.rounds):  # in turns
            for kind, measured in rates.items():
                measured.append(measuring.in_a_process(__file__, f"steps_in_{kind}", recipe)["per_second"])
        medians = {kind: round(statistics.median(measured), 1) for kind, measured in rates.items()}
        results[f"{recipe}, steps a second"] = {**medians, "share": round(medians["window"] / medians["train"], 3)}
    results["memory, MB after steps"] = measuring.in_a_process(__file__, "memory", "dense")
    if options.json:
        print(json.dumps(results))
    else:
        for name, result in results.items():
            measuring.tell(name, result)


def lateness_idle(recipe: str) -> dict[str, Any]:
    """What the machine itself adds."""
    application, window = measuring.open_window()
    window.show()
    return measuring.lateness(application, 5, None)


def lateness_curves(recipe: str) -> dict[str, Any]:
    """With the Train tab before, whose curves grow; the pen moves on the hidden pad, and is read all the same."""
    return _lateness(recipe, tab=1)


def lateness_drawing(recipe: str) -> dict[str, Any]:
    """With the Draw tab before: ink, reading and bars are painted."""
    return _lateness(recipe, tab=0)


def _lateness(recipe: str, tab: int) -> dict[str, Any]:
    application, window = _training(recipe)
    window.show_page(tab)
    measuring.run_for(application, 0.5)
    result = measuring.lateness(application, SECONDS, measuring.pen(measuring.tab(window, "Draw").pad, 10**9))
    measuring.tab(window, "Train").finish_work()
    return result


def steps_in_window(recipe: str) -> dict[str, Any]:
    """Steps a second with live curves."""
    application, window = _training(recipe)
    begun, before = time.perf_counter(), measuring.tab(window, "Train").board.n_steps
    application.processEvents()
    from PySide6.QtCore import QTimer

    QTimer.singleShot(SECONDS * 1000, application.exit)
    application.exec()
    rate = (measuring.tab(window, "Train").board.n_steps - before) / (time.perf_counter() - begun)
    measuring.tab(window, "Train").finish_work()
    return {"per_second": rate}


def steps_in_train(recipe: str) -> dict[str, Any]:
    """Steps a second as ``digitpad train`` takes them, with as many BLAS threads as the window has."""
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
        begun = before = 0.0
        for progress in recorder.train():
            now = time.perf_counter()
            if isinstance(progress, StepDone) and not begun and progress.step >= 20:
                begun, before = now, progress.step
            if begun and now - begun >= SECONDS:
                return {"per_second": (trainer.step - before) / (now - begun)}
    raise AssertionError("the training came to its end")


def memory(recipe: str) -> dict[str, Any]:
    """Of the whole process, while a tiny network trains with live curves."""
    application, window = _training(recipe, {"network.hidden": [8], "training.batch_size": 8})
    measured = {}
    for steps in STEPS:
        while measuring.tab(window, "Train").board.n_steps < steps:
            measuring.run_for(application, 0.2)
        measured[f"{steps:,}"] = _resident_mb()
    measuring.tab(window, "Train").finish_work()
    return measured


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise OSError("the system does not tell")


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
