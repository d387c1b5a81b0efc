"""Share of numbers with a sign or an exponent that are read correctly.

``python tests/tools/sign_numbers.py DIGITS [--symbols FILE] [--count 200] [--half 0|1]`` writes numbers from the digits
of one writer in a strokes file each, with a point, comma, minus or plus sign between two of them or an exponent at the
end, close together and wide apart. Points, commas and minus signs are made; plus signs come from a file of symbols with
names. ``--half`` takes half of the writers only, so that constants chosen on one half can be checked on the other.
"""

import argparse
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.recognition.number_reader import NumberReader
from digitpad.weights.native_format import SHIPPED, load_weights

GAPS = {"close": (0.04, 0.15), "wide": (0.15, 0.4)}
"""Smallest and largest gaps between signs and digits, in heights of digits."""

Strokes = list[Floats]


def main() -> None:
    """Print a line for each sign and gap."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("digits", type=Path)
    parser.add_argument("--symbols", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--half", type=int, choices=(0, 1))
    options = parser.parse_args()
    by_writer: dict[str, list[tuple[str, Strokes]]] = defaultdict(list)
    for values in _lines(options.digits, options.half):
        by_writer[values["writer"]].append((str(values["label"]), _strokes(values)))
    symbols = [] if options.symbols is None else _lines(options.symbols, options.half)
    plus = [_strokes(values) for values in symbols if values.get("name") == "+"]
    pens = [digits for digits in by_writer.values() if len(digits) >= 4]
    reader = NumberReader(load_weights(SHIPPED))
    for kind in ("none", "point", "comma", "minus", *(["plus"] if plus else []), "exponent"):
        for name, gap in GAPS.items():
            rng = np.random.default_rng(0)
            n_correct = 0
            for _ in range(options.count):
                paths, text = _number(pens[rng.integers(len(pens))], kind, plus, gap, rng)
                reading = reader.read_paths(paths)
                n_correct += reading is not None and reading.text == text
            print(f"{kind:10}{name:8}{n_correct / options.count:.3f}", flush=True)


def _lines(path: Path, half: int | None) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        values = json.loads(line)
        if half is None or zlib.crc32(str(values["writer"]).encode()) % 2 == half:
            yield values


def _strokes(values: dict[str, Any]) -> Strokes:
    return [np.asarray(stroke, np.float64) for stroke in values["strokes"]]


def _number(
    digits: list[tuple[str, Strokes]],
    kind: str,
    plus: list[Strokes],
    gap: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Strokes, str]:
    """Return the strokes of a number of digits 1 high, and its text."""
    n_before, n_after = rng.integers(1, 3, 2)
    paths: Strokes = []
    text, right = "", 0.0
    for place in range(n_before + n_after + 1):
        if place == n_before:
            ink = _sign(kind, plus, rng)
            text += "?" if ink else ""
        elif place > n_before and kind == "exponent":
            if place > n_before + 1:
                break
            label, strokes = digits[rng.integers(len(digits))]
            height = rng.uniform(0.4, 0.65)
            ink, text = _placed(strokes, height, rng.uniform(0.2, 0.5) - height), text + label
        else:
            label, strokes = digits[rng.integers(len(digits))]
            height = rng.uniform(0.85, 1.1)
            ink, text = _placed(strokes, height, 1 - height), text + label
        if ink:
            paths += [stroke + np.array([right, 0]) for stroke in ink]
            right = max(stroke[:, 0].max() for stroke in paths) + rng.uniform(*gap)
    return paths, text


def _placed(strokes: Strokes, height: float, top: float) -> Strokes:
    """Return strokes of a height, with their left edge at 0; very flat ones are no wider than twice the height."""
    points = np.concatenate(strokes)
    width, tall = np.ptp(points, axis=0)
    return [(stroke - points.min(axis=0)) * (height / max(tall, width / 2, 1e-9)) + [0, top] for stroke in strokes]


def _sign(kind: str, plus: list[Strokes], rng: np.random.Generator) -> Strokes:
    t = np.linspace(0, 1, 8)
    if kind == "point":
        path = np.cumsum(rng.normal(0, 0.015, (rng.integers(1, 5), 2)), axis=0)
        return [path - path.min(axis=0) + [0, 1 - rng.uniform(0, 0.08)]]
    if kind == "comma":
        tall, lean = rng.uniform(0.12, 0.3), rng.uniform(0.3, 1)
        return [np.stack([tall * 0.5 * lean * (1 - t) ** 1.3, t * tall + 1 - rng.uniform(0, 0.1)], axis=1)]
    if kind == "minus":
        wide, slope = rng.uniform(0.25, 0.6), rng.normal(0, 0.06)
        y = 0.5 + rng.uniform(-0.12, 0.15) + rng.normal(0, 0.02) * np.sin(3 * t) + slope * t
        return [np.stack([t * wide, y], axis=1)]
    if kind == "plus":
        height = rng.uniform(0.35, 0.8)
        return _placed(plus[rng.integers(len(plus))], height, 0.5 - height / 2 + rng.uniform(-0.1, 0.15))
    return []


if __name__ == "__main__":
    main()
