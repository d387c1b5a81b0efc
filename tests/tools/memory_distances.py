"""Choose the distances of the correction memory: ``python tests/tools/memory_distances.py STROKES …``.

Each strokes file has lines of {"label": 7, "writer": "w1", "strokes": …}. For each writer with at least two misread
drawings, each drawing that network and memory misread is corrected, in writing order. The figures are the writer's
errors after the first correction, with and without the memory, and the change of the accuracy on all other writers'
drawings with the memory as it is at the end. The constants are chosen by cross-validation over writers: those with the
fewest later errors whose mean effect on other writers is at most ``MAX_HARM`` points, and at most ``MAX_WORST`` points
with any single writer's memory. Printed are the choice of each fold with its result on the writers left out, and the
choice of all writers.
"""

import argparse
import itertools
import json
import os
from pathlib import Path

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.recognition.memory import feature_places, forward_with_features
from digitpad.weights.native_format import SHIPPED, load_weights

GRID = list(itertools.product((0.06, 0.08, 0.1, 0.12, 0.14), (0.4, 0.5, 0.6, 0.7), (4.0, 5.0, 6.0)))
MAX_HARM, MAX_WORST = 0.0, 0.25
N_FOLDS = 5


class Drawings:
    """Labels, logits and features of all drawings in writing order, and the indices of each writer's drawings."""

    def __init__(self, paths: list[Path], weights: Path) -> None:
        network = load_weights(weights).network()
        places = feature_places(network)
        labels, logits, points, writers = [], [], [], []
        for path in paths:
            for line in path.read_text("utf-8").splitlines():
                values = json.loads(line)
                image = rasterize([np.asarray(stroke, np.float64) for stroke in values["strokes"]])
                rows, features = forward_with_features(network, image[None], places)
                labels.append(int(values["label"]))
                logits.append(rows[0].copy())
                points.append(features[0])
                writers.append(str(values["writer"]))
        self.labels, self.logits, self.points = np.array(labels), np.stack(logits), np.stack(points)
        self.read = self.logits.argmax(axis=1)
        names = np.array(writers)
        self.of_writer = {name: np.flatnonzero(names == name) for name in sorted(set(writers))}
        self.lead = self.logits[np.arange(len(labels)), self.read][:, None] - self.logits


def try_distances(data: Drawings, own: NDArray[np.intp], others: NDArray[np.intp]) -> Floats:
    """Return later errors without and with memory, and harm to others in points; shape (len(GRID), 3)."""
    errors = own[data.read[own] != data.labels[own]]
    to_errors = 1 - data.points[own] @ data.points[errors].T
    others_to_errors = 1 - data.points[others] @ data.points[errors].T
    column = {place: number for number, place in enumerate(errors)}
    before_others = (data.read[others] == data.labels[others]).mean()
    rows = []
    for near, far, max_lead in GRID:
        corrected: list[int] = []
        before = after = 0
        for row, place in enumerate(own):
            digit = data.read[place]
            if corrected:
                distances = to_errors[row, [column[each] for each in corrected]]
                label = data.labels[corrected[int(distances.argmin())]]
                if distances.min() < max(near, far * (1 - data.lead[place, label] / max_lead)):
                    digit = label
                before += int(data.read[place] != data.labels[place])
                after += int(digit != data.labels[place])
            if digit != data.labels[place] and place in column:
                corrected.append(int(place))
        distances = others_to_errors[:, [column[each] for each in corrected]]
        labels = data.labels[np.array(corrected)[distances.argmin(axis=1)]]
        limits = np.maximum(near, far * (1 - data.lead[others, labels] / max_lead))
        digits = np.where(distances.min(axis=1) < limits, labels, data.read[others])
        rows.append([before, after, 100 * (before_others - (digits == data.labels[others]).mean())])
    return np.array(rows)


def best(results: Floats) -> int:
    """Return the index in `GRID` of the best distances for these writers; shape (n_writers, len(GRID), 3)."""
    harmless = (results[:, :, 2].mean(axis=0) <= MAX_HARM) & (results[:, :, 2].max(axis=0) <= MAX_WORST)
    return int(np.where(harmless, results[:, :, 1].sum(axis=0), np.inf).argmin())


def figures(results: Floats, choice: int) -> str:
    """Return the figures of a choice for these writers."""
    before, after, _ = results[:, choice].sum(axis=0)
    harm = results[:, choice, 2]
    near, far, max_lead = GRID[choice]
    return (
        f"near {near:g}, far {far:g}, lead {max_lead:g}: later errors {before:.0f} to {after:.0f} "
        f"({1 - after / max(before, 1):.0%} fewer), others {-harm.mean():+.3f} points, worst {-harm.max():+.3f}"
    )


def main() -> None:
    """Print the choices."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("strokes", type=Path, nargs="+", metavar="STROKES")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    options = parser.parse_args()
    data = Drawings(options.strokes, options.weights)
    n_all = len(data.labels)
    results = [
        try_distances(data, own, np.setdiff1d(np.arange(n_all), own))
        for own in data.of_writer.values()
        if (data.read[own] != data.labels[own]).sum() >= 2
    ]
    by_writer = np.stack(results)
    folds = np.random.default_rng(1).permutation(len(by_writer)) % N_FOLDS
    for fold in range(N_FOLDS):
        choice = best(by_writer[folds != fold])
        print(f"fold {fold}: {figures(by_writer[folds == fold], choice)}", flush=True)
    print(f"all {len(by_writer)} writers: {figures(by_writer, best(by_writer))}")


if __name__ == "__main__":
    main()
