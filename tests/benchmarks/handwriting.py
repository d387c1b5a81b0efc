"""Accuracy on real handwriting: ``python tests/benchmarks/handwriting.py [--strokes FILE …] [--json | --card]``.

For each strokes file (lines of {"label": 7, "writer": "w1", "strokes": …}) and for the MNIST test set, it prints the
accuracy with a 95 % interval, the mean and the worst accuracy over writers, the mean confidence, the calibration error,
and the share of predictions that are not sure. A label that is not a digit marks a non-digit, for which "not sure" is
the correct answer. A label of several digits marks a number, which is divided into digits automatically, and counts as
correct if all of it is. It also prints the time from strokes to probabilities on one thread, and the share of generated
non-digits, by writers that were not trained on, for which the network is not sure. ``--card`` prints the tables of the
model card instead. ``tests/tools/blind_spots.py`` draws the misread drawings.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np  # after BLAS is limited

from digitpad.datasets.dataset import mnist
from digitpad.datasets.synthetic.non_digits import non_digits
from digitpad.evaluation.calibration import reliability
from digitpad.evaluation.metrics import interval
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights


def main() -> None:
    """Evaluate all datasets, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--strokes", type=Path, nargs="*", default=[], metavar="FILE")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print one JSON object")
    output.add_argument("--card", action="store_true", help="print the tables of the model card, in Markdown")
    options = parser.parse_args()
    weights = load_weights(options.weights)
    recognizer, reader = Recognizer(weights), NumberReader(weights)
    results: dict[str, dict[str, Any]] = {
        "MNIST test": _images(recognizer),
        "generated non-digits": _no_digits(recognizer),
    }
    for path in options.strokes:
        is_number_file = len(str(json.loads(path.read_text("utf-8").split("\n", 1)[0]).get("label", ""))) > 1
        results[path.stem] = _numbers(reader, path) if is_number_file else _strokes(recognizer, path)
        if not is_number_file:
            results[f"{path.stem}, divided automatically"] = _numbers(reader, path)
    if options.json:
        print(json.dumps(results))
        return
    if options.card:
        print(_card(results))
        return
    for name, figures in results.items():
        print(name)
        for what, figure in figures.items():
            print(f"  {what:28s} {figure:,.4f}" if isinstance(figure, float) else f"  {what:28s} {figure}")


def _images(recognizer: Recognizer) -> dict[str, Any]:
    print("reading the MNIST test set", file=sys.stderr)
    digits = mnist().test
    network = recognizer.weights.network()
    chunks = [network.predict(digits.images[i : i + 200]) for i in range(0, len(digits), 200)]
    probabilities = np.concatenate(chunks)
    right = probabilities.argmax(axis=1) == digits.labels
    confidences = probabilities.max(axis=1)
    return _figures(digits.labels, right, confidences, confidences >= recognizer.weights.confidence_threshold)


def _no_digits(recognizer: Recognizer, n: int = 2000, seed: int = 2**31) -> dict[str, Any]:
    print(f"reading {n:,} generated non-digits", file=sys.stderr)
    drawings = non_digits(n, seed)
    network = recognizer.weights.network()
    chunks = [network.predict(drawings.images[i : i + 200]) for i in range(0, n, 200)]
    unsure = np.concatenate(chunks).max(axis=1) < recognizer.weights.confidence_threshold
    return {"drawings": n, "not sure": float(unsure.mean())}


def _strokes(recognizer: Recognizer, path: Path) -> dict[str, Any]:
    print(f"reading {path}", file=sys.stderr)
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
        labels.append(str(values.get("label", values.get("name"))))
        if labels[-1].isdecimal():
            by_writer[str(values.get("writer", ""))].append(labels[-1] == str(prediction.digit))
    is_digit = np.array([label.isdecimal() for label in labels])
    right = np.array([label == str(prediction.digit) for label, prediction in zip(labels, predictions, strict=True)])
    confidences = np.array([prediction.confidence for prediction in predictions])
    sure = np.array([prediction.sure for prediction in predictions])
    figures: dict[str, Any] = {}
    if is_digit.any():
        shares = [sum(row) / len(row) for row in by_writer.values()]
        digits = np.array([int(label) for label in labels if label.isdecimal()])
        figures |= _figures(digits, right[is_digit], confidences[is_digit], sure[is_digit])
        figures |= {
            "writers": len(shares),
            "mean over writers": float(np.mean(shares)),
            "worst writer": float(np.min(shares)),
            "worst writers": _worst_writers(by_writer),
        }
    if not is_digit.all():
        figures |= {
            "non-digits": int((~is_digit).sum()),
            "not sure of non-digits": float((~sure[~is_digit]).mean()),
        }
    milliseconds = np.array(seconds) * 1e3
    return figures | {
        "ms, median": float(np.median(milliseconds)),
        "ms, p99": float(np.percentile(milliseconds, 99)),
    }


def _numbers(reader: NumberReader, path: Path) -> dict[str, Any]:
    """Return how many drawings are read correctly as a whole, in total and by writer."""
    print(f"reading numbers in {path}", file=sys.stderr)
    by_writer: dict[str, list[bool]] = defaultdict(list)
    n_sure = n = n_wrong_length = 0
    for line in path.read_text("utf-8").splitlines():
        values = json.loads(line)
        reading = reader.read_paths([np.asarray(stroke, np.float64) for stroke in values["strokes"]])
        n += 1
        n_sure += reading is not None and reading.sure
        if "label" in values:
            label, text = str(values["label"]), "" if reading is None else reading.text
            by_writer[str(values.get("writer", ""))].append(text == label)
            n_wrong_length += len(text) != len(label)
    figures: dict[str, Any] = {"drawings": n, "not sure": 1 - n_sure / n}
    if by_writer:
        shares = [sum(row) / len(row) for row in by_writer.values()]
        share = sum(sum(row) for row in by_writer.values()) / n
        low, high = interval(share, n)
        figures |= {
            "whole drawings right": share,
            "95 % from": low,
            "95 % to": high,
            "wrong number of digits": n_wrong_length / n,
            "writers": len(shares),
            "mean over writers": float(np.mean(shares)),
            "worst writer": float(np.min(shares)),
        }
    return figures


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
        "wrong but sure": float((~right & sure).mean()),
        "errors per digit": [int((~right[digits == digit]).sum()) for digit in range(10)],
        "drawings per digit": np.bincount(digits, minlength=10).tolist(),
    }


def _worst_writers(by_writer: dict[str, list[bool]], n: int = 3, least: int = 20) -> list[str]:
    """Return the accuracy of the worst writers, of those with at least ``least`` digits."""
    rows = sorted((row for row in by_writer.values() if len(row) >= least), key=lambda row: sum(row) / len(row))
    return [f"{100 * sum(row) / len(row):.0f} % of {len(row)}" for row in rows[:n]]


def _card(results: dict[str, dict[str, Any]]) -> str:
    """Return the tables of the model card: accuracy of each dataset of digits, then errors per digit."""
    digits = {name: figures for name, figures in results.items() if "errors per digit" in figures}
    lines = [
        "| | digits | accuracy | mean over writers, worst writers | calibration error | not sure | wrong but sure |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in digits.items():
        interval_text = f"{100 * row['accuracy']:.2f} % ({100 * row['95 % from']:.2f} to {100 * row['95 % to']:.2f})"
        by_writer = (
            f"{100 * row['mean over writers']:.1f} % of {row['writers']}; {', '.join(row['worst writers'])}"
            if "writers" in row
            else ""
        )
        shares = " | ".join(f"{100 * row[key]:.2f} %" for key in ("calibration error", "not sure", "wrong but sure"))
        lines.append(f"| {name} | {row['digits']:,} | {interval_text} | {by_writer} | {shares} |")
    lines += ["", "| errors of drawings | " + " | ".join(map(str, range(10))) + " |", "|---" * 11 + "|"]
    for name, row in digits.items():
        cells = zip(row["errors per digit"], row["drawings per digit"], strict=True)
        lines.append(f"| {name} | " + " | ".join(f"{wrong} of {n:,}" for wrong, n in cells) + " |")
    lines += ["", "| non-digits | drawings | not sure |", "|---|---|---|"]
    for name, row in results.items():
        if "not sure of non-digits" in row:
            lines.append(f"| {name} | {row['non-digits']:,} | {100 * row['not sure of non-digits']:.1f} % |")
        elif name == "generated non-digits":
            lines.append(f"| {name} | {row['drawings']:,} | {100 * row['not sure']:.1f} % |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
