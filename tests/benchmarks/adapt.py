"""Learning a writer's digits: ``python tests/benchmarks/adapt.py --strokes FILE … [--json]``.

Each strokes file has lines of {"label": 7, "writer": "w1", "strokes": …}. The writers are those with the most errors of
the network. For each of them:

- adaptation: the first ``--per-digit`` drawings of each digit are the own digits, and the rest is the test. Printed are
  the errors on the rest before and after, and the change of the accuracy on the MNIST test set and on other writers.
- memory: each drawing that network and memory misread is corrected, in writing order. Printed are the later errors
  with and without the memory, and the change of the accuracy on other writers.

It also prints the time of an adaptation, without what the adaptations of one network share, and the time of looking up
a drawing in a full memory.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np  # after BLAS is limited
from numpy.typing import NDArray

from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.evaluation.metrics import run_to_end
from digitpad.ink.raster import rasterize
from digitpad.recognition.memory import MAX_REMEMBERED, CorrectionMemory, feature_places, forward_with_features
from digitpad.training.adaptation.adapt import References, adapt, read_references
from digitpad.weights.native_format import SHIPPED, Weights, load_weights

Places = NDArray[np.intp]


class Data:
    """All drawings, with the network's answers and the features of trunk and memory."""

    def __init__(self, paths: list[Path], weights: Weights) -> None:
        labels, writers, images = [], [], []
        for path in paths:
            print(f"reading {path}", file=sys.stderr)
            for line in path.read_text("utf-8").splitlines():
                values = json.loads(line)
                image = rasterize([np.asarray(stroke, np.float64) for stroke in values["strokes"]])
                if image.any():
                    labels.append(int(values["label"]))
                    writers.append(str(values["writer"]))
                    images.append(image)
        self.labels, self.images, self.writers = np.array(labels), np.stack(images), np.array(writers)
        network = weights.network()
        places = feature_places(network)
        logits, points = [], []
        for image in self.images:
            rows, features = forward_with_features(network, image[None], places)
            logits.append(rows[0].copy())
            points.append(features[0])
        self.logits, self.points = np.stack(logits), np.stack(points)
        self.right = self.logits.argmax(axis=1) == self.labels

    def drawing(self, place: int) -> OwnDigit:
        """Return a drawing with its label."""
        return OwnDigit(int(self.labels[place]), pixels=self.images[place], id=str(place))

    def worst_writers(self, n: int) -> list[str]:
        """Return the writers with the most errors."""
        names, of = np.unique(self.writers, return_inverse=True)
        errors = np.bincount(of, weights=~self.right)
        return [str(names[place]) for place in np.lexsort((names, -errors))[:n]]


def adaptation(data: Data, weights: Weights, references: References, writer: str, options: Any) -> dict[str, float]:
    """Adapt to the writer's first drawings of each digit."""
    own = np.flatnonzero(data.writers == writer)
    mine = np.concatenate([own[data.labels[own] == digit][: options.per_digit] for digit in range(10)])
    mine.sort()
    rest = np.setdiff1d(own, mine)
    others = np.flatnonzero(data.writers != writer)[:: options.every]
    begin = time.perf_counter()
    work = adapt(weights, [data.drawing(place) for place in mine], 1, references=references)
    result = run_to_end(work)
    seconds = time.perf_counter() - begin
    network = result.weights.network()

    def right(places: Places) -> NDArray[np.bool_]:
        chunks = [
            network.forward(data.images[places[at : at + 200]]).argmax(axis=1) for at in range(0, len(places), 200)
        ]
        answers: NDArray[np.bool_] = np.concatenate(chunks) == data.labels[places]
        return answers

    return {
        "before": float((~data.right[rest]).sum()),
        "after": float((~right(rest)).sum()),
        "tested": len(rest),
        "mnist": 100 * (result.after.mnist_accuracy - result.before.mnist_accuracy),
        "others": 100 * float(right(others).mean() - data.right[others].mean()),
        "seconds": seconds,
    }


def memory(data: Data, weights: Weights, writer: str) -> dict[str, float]:
    """Correct each error of the writer once, in writing order."""
    own = np.flatnonzero(data.writers == writer)
    others = np.flatnonzero(data.writers != writer)
    remembered = CorrectionMemory(weights)
    before = after = 0

    def read(place: int) -> int:
        correction = remembered.look_up(data.logits[place], data.points[place])
        return int(data.logits[place].argmax()) if correction is None else correction.label

    for place in own.tolist():
        digit = read(place)
        if remembered.n_corrections:
            before += int(not data.right[place])
            after += int(digit != data.labels[place])
        if digit != data.labels[place] and not data.right[place]:
            remembered.add([data.drawing(place)])
    with_memory = np.array([read(place) for place in others.tolist()])
    change = (with_memory == data.labels[others]).mean() - data.right[others].mean()
    return {"before": before, "after": after, "others": 100 * float(change)}


def lookup_milliseconds(data: Data, weights: Weights) -> dict[str, float]:
    """Return the median time of looking up a drawing in a memory with the maximum number of corrections."""
    places = np.flatnonzero(~data.right)[:MAX_REMEMBERED].tolist()
    remembered = CorrectionMemory(weights, [data.drawing(place) for place in places])
    network, features = weights.network(), feature_places(weights.network())
    differences = []
    for place in range(0, len(data.labels), max(1, len(data.labels) // 500)):
        image = data.images[place]
        begin = time.perf_counter()
        network.forward(image[None])
        middle = time.perf_counter()
        remembered.look_up(*_first(forward_with_features(network, image[None], features)))
        differences.append(time.perf_counter() - middle - (middle - begin))
    return {
        "corrections": remembered.n_corrections,
        "ms": 1000 * statistics.median(differences),
    }


def _first(result: tuple[Any, Any]) -> tuple[Any, Any]:
    return result[0][0], result[1][0]


def pooled(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the sum of the errors and the mean and worst of the other figures."""
    before, after = (sum(row[key] for row in rows) for key in ("before", "after"))
    figures = {"errors before": before, "errors after": after, "errors fall by, %": 100 * (1 - after / max(before, 1))}
    for key in ("mnist", "others"):
        if key in rows[0]:
            values = [row[key] for row in rows]
            figures |= {f"{key}, points, mean": statistics.mean(values), f"{key}, points, worst": min(values)}
    if "seconds" in rows[0]:
        figures["seconds, median"] = statistics.median(row["seconds"] for row in rows)
    return {name: round(float(value), 3) for name, value in figures.items()}


def main() -> None:
    """Measure all writers, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strokes", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--writers", type=int, default=20, metavar="N", help="writers (default: %(default)s)")
    parser.add_argument("--per-digit", type=int, default=3, metavar="N", help="own drawings of each digit")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="adaptation: test every N-th of the others")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    weights = load_weights(options.weights)
    data = Data(options.strokes, weights)
    writers = data.worst_writers(options.writers)
    results: dict[str, Any] = {"memory": pooled([memory(data, weights, writer) for writer in writers])}
    results["memory"] |= lookup_milliseconds(data, weights)
    print(f"memory: {results['memory']}", file=sys.stderr)
    begin = time.perf_counter()
    references = run_to_end(read_references(weights, 1))
    shared = time.perf_counter() - begin
    rows = []
    for number, writer in enumerate(writers, 1):
        rows.append(adaptation(data, weights, references, writer, options))
        print(f"{number} of {len(writers)}: {writer} {rows[-1]}", file=sys.stderr)
    results["adaptation"] = {**pooled(rows), "seconds for what they share": round(shared, 1)}
    if options.json:
        print(json.dumps(results))
        return
    for name, figures in results.items():
        print(name)
        for what, figure in figures.items():
            print(f"  {what:28s} {figure:,.3f}")


if __name__ == "__main__":
    main()
