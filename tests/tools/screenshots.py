"""Take the project's screenshots: ``python tests/tools/screenshots.py [--folder DIR] [--size WxH]``.

It runs the window and saves each tab in ``resources/screenshots/``, with the light and the dark theme: a digit drawn
with the mouse, a training in progress, the built-in network on the test set, and the activations for the digit.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from digitpad import assets
from digitpad.system import blas_threads

blas_threads.limit_threads(blas_threads.default_thread_count())

from digitpad.app import build
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Mode
from tests.unit.gui.hand import draw

EPOCHS = 12


def main() -> None:
    """Draw, train, evaluate, and save a picture of each tab."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=assets.RESOURCES / "screenshots")
    parser.add_argument("--size", default="1120x800", help="size of the window (default: %(default)s)")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    os.environ["DIGITPAD_HOME"] = tempfile.mkdtemp()
    application, window = build(None)
    window.resize(width, height)
    window.show()

    def run_for(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            application.processEvents()
            time.sleep(0.002)

    def take(name: str) -> None:
        for mode in (Mode.DARK, Mode.LIGHT):
            window.session.set_theme(mode)
            run_for(0.5)
            path = options.folder / f"{name}-{mode}.png"
            window.grab().save(str(path))
            print(path)

    options.folder.mkdir(parents=True, exist_ok=True)
    run_for(0.3)
    draw(window.page(DrawTab).pad, seven(window.page(DrawTab).pad.width()))
    run_for(0.5)
    take("draw")
    window.show_page(1)
    form = window.page(TrainTab).form
    form.set_recipe(form.base_recipe.with_values({"training.epochs": EPOCHS}))
    run_for(0.5)
    window.page(TrainTab).train()
    while len(window.page(TrainTab).board._epochs) < 2 * EPOCHS // 3:
        run_for(0.1)
    run_for(0.5)
    take("train")
    window.page(TrainTab).finish_work()
    window.show_page(2)
    window.page(EvaluateTab).evaluate_or_stop()
    while window.page(EvaluateTab).busy:
        run_for(0.1)
    take("evaluate")
    window.show_page(3)
    run_for(1)
    take("inside")
    window.close()


def seven(side: float) -> list[list[tuple[float, float]]]:
    """Return the strokes of a 7 with a bar, slightly curved, for a pad of this size."""
    curves = [
        [((0.31, 0.27), (0.5, 0.22), (0.74, 0.25)), ((0.74, 0.25), (0.58, 0.52), (0.49, 0.78))],
        [((0.39, 0.52), (0.53, 0.49), (0.69, 0.49))],
    ]

    def bend(t: float, begin: float, handle: float, end: float) -> float:
        return (1 - t) ** 2 * begin + 2 * t * (1 - t) * handle + t * t * end

    shares = [number / 30 for number in range(31)]
    return [
        [
            (bend(t, x0, x1, x2) * side, bend(t, y0, y1, y2) * side)
            for (x0, y0), (x1, y1), (x2, y2) in stroke
            for t in shares
        ]
        for stroke in curves
    ]


if __name__ == "__main__":
    main()
