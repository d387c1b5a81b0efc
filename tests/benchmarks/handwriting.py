"""How well people's handwriting is read: ``python tests/benchmarks/handwriting.py [--strokes FILE …] [--json]``.

For each strokes file (lines of {"label": 7, "writer": "w1", "strokes": …}), and for the MNIST test set: accuracy with a
95 % interval, the mean and the worst over writers, the mean confidence and the calibration error, and the share of
which the network is not sure. A label that is no digit counts as none: of those, being unsure is what is right. Last,
the time from strokes to probabilities, on one thread. Besides, drawings that are no digits, made by other hands than
those that were trained on.
"""

import argparse
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np  # once BLAS is limited

from digitpad.datasets.dataset import mnist
from digitpad.datasets.synthetic.non_digits import non_digits
from digitpad.evaluation.calibration import reliability
from digitpad.evaluation.metrics import interval
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights


def main() -> None:
    """Read everything, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--strokes", type=Path, nargs="*", default=[], metavar="FILE")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options = parser.parse_args()
    recognizer = Recognizer(load_weights(options.weights))
    results: dict[str, dict[str, Any]] = {"MNIST test": _images(recognizer), "made, no digits": _no_digits(recognizer)}
    for path in options.strokes:
        results[path.stem] = _strokes(recognizer, path)
    if options.json:
        print(json.dumps(results))
        return
    for name, figures in results.items():
        print(name)
        for what, figure in figures.items():
            print(f"  {what:28s} {figure:,.4f}" if isinstance(figure, float) else f"  {what:28s} {figure}")


def _images(recognizer: Recognizer) -> dict[str, Any]:
    digits = mnist().test
    network = recognizer.weights.network()
    chunks = [network.predict(digits.images[i : i + 200]) for i in range(0, len(digits), 200)]
    probabilities = np.concatenate(chunks)
    right = probabilities.argmax(axis=1) == digits.labels
    confidences = probabilities.max(axis=1)
    return _figures(digits.labels, right, confidences, confidences >= recognizer.weights.confidence_threshold)


def _no_digits(recognizer: Recognizer, n: int = 2000, seed: int = 2**31) -> dict[str, Any]:
    drawings = non_digits(n, seed)
    network = recognizer.weights.network()
    chunks = [network.predict(drawings.images[i : i + 200]) for i in range(0, n, 200)]
    unsure = np.concatenate(chunks).max(axis=1) < recognizer.weights.confidence_threshold
    return {"drawings": n, "not sure": float(unsure.mean())}


def _strokes(recognizer: Recognizer, path: Path) -> dict[str, Any]:
    predictions: list[Prediction] = []
    labels: list[str] = []
    by_writer: dict[str, list[bool]] = defaultdict(list)
    seconds = []
    for line in path.read_text("utf-8").splitlines():
        values = json.loads(line)
        paths = [np.asarray(stroke, np.float64) for stroke in values["strokes"]]
        begin = time.perf_counter()
        prediction = recognizer.read_paths(paths)
        seconds.append(time.perf_counter() - begin)
        if prediction is None:
            continue
        predictions.append(prediction)
        labels.append(str(values["label"]))
        if labels[-1].isdecimal():
            by_writer[str(values.get("writer", ""))].append(labels[-1] == str(prediction.digit))
    is_digit = np.array([label.isdecimal() for label in labels])
    right = np.array([label == str(one.digit) for label, one in zip(labels, predictions, strict=True)])
    confidences = np.array([one.confidence for one in predictions])
    sure = np.array([one.sure for one in predictions])
    figures: dict[str, Any] = {}
    if is_digit.any():
        shares = [sum(row) / len(row) for row in by_writer.values()]
        digits = np.array([int(label) for label in labels if label.isdecimal()])
        figures |= _figures(digits, right[is_digit], confidences[is_digit], sure[is_digit])
        figures |= {
            "writers": len(shares),
            "mean over writers": float(np.mean(shares)),
            "worst writer": float(np.min(shares)),
        }
    if not is_digit.all():
        figures |= {
            "no digits": int((~is_digit).sum()),
            "not sure of no digit": float((~sure[~is_digit]).mean()),
        }
    milliseconds = np.array(seconds) * 1e3
    return figures | {
        "ms, median": float(np.median(milliseconds)),
        "ms, p99": float(np.percentile(milliseconds, 99)),
    }


def _figures(digits: Any, right: Any, confidences: Any, sure: Any) -> dict[str, Any]:
    low, high = interval(float(right.mean()), len(right))
    return {
        "digits": len(right),
        "accuracy": float(right.mean()),
        "95 % from": low,
        "95 % to": high,
        "mean confidence": float(confidences.mean()),
        "calibration error": reliability(confidences, right).error,
        "not sure": float((~sure).mean()),
        "wrong of each digit": [int((~right[digits == digit]).sum()) for digit in range(10)],
    }


if __name__ == "__main__":
    main()
