"""Show which drawings the network does not read: ``python tests/tools/blind_spots.py sheet.png --strokes FILE …``.

Each strokes file has lines of {"label": 7, "writer": "w1", "strokes": …}, or "name" instead of "label" for a non-digit.
Writers are divided into two halves, A and B, by a checksum of their names. Look at the misread drawings of A, write the
styles that are missing, and measure on B, whether they help with the hand of other people as well.

The sheet shows the drawings of one half: a row for each confusion, the most frequent first, with its drawings sorted so
that similar ones are next to each other. A drawing is misread if the answer is wrong; with ``--unsure`` also if it is
right but not sure, and for a non-digit if the answer is sure. The figures of both halves are printed.
"""

import argparse
import json
import os
import sys
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from digitpad.nn.arrays import Floats
from digitpad.recognition.recognizer import Prediction, Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights
from tests.tools.contact_sheet import CELL, draw_strokes

NAME = 90


@dataclass(frozen=True)
class Sample:
    """Drawing of a strokes file, and how the network reads it; ``label`` is not a number for a non-digit."""

    label: str
    half: str
    paths: Sequence[Floats]
    prediction: Prediction

    @property
    def right(self) -> bool:
        """Whether the answer is right: for a non-digit, "not sure"."""
        if self.label.isdecimal():
            return self.label == str(self.prediction.digit)
        return not self.prediction.sure

    @property
    def is_unsure_digit(self) -> bool:
        """Whether this is a digit and the answer is not sure."""
        return self.label.isdecimal() and not self.prediction.sure


def main() -> None:
    """Print the figures, and draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--strokes", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--weights", type=Path, default=SHIPPED)
    parser.add_argument("--half", choices="AB", default="A", help="writers to draw (default: %(default)s)")
    parser.add_argument("--label", help="draw only this digit or name")
    parser.add_argument("--unsure", action="store_true", help="draw also what is read correctly but not surely")
    parser.add_argument("--columns", type=int, default=24)
    options = parser.parse_args()
    recognizer = Recognizer(load_weights(options.weights))
    shown = []
    for path in options.strokes:
        samples = read(path, recognizer)
        print(path.stem)
        for half in "AB":
            print(f"  {half}: {figures([sample for sample in samples if sample.half == half])}")
        shown += [sample for sample in samples if sample.half == options.half and options.label in (None, sample.label)]
    rows = confusions([sample for sample in shown if not sample.right or (options.unsure and sample.is_unsure_digit)])
    for name, row in rows.items():
        print(f"  {name}: {len(row)}")
    sheet(rows, options.columns).save(options.file)
    print(options.file)


def read(path: Path, recognizer: Recognizer) -> list[Sample]:
    """Read a strokes file with the network; drawings without ink are left out."""
    samples = []
    for line in path.read_text("utf-8").splitlines():
        values = json.loads(line)
        paths = [np.asarray(stroke, np.float64) for stroke in values["strokes"]]
        prediction = recognizer.read_paths(paths)
        half = "AB"[zlib.crc32(str(values.get("writer", "")).encode()) % 2]
        if prediction is not None:
            samples.append(Sample(str(values.get("label", values.get("name"))), half, paths, prediction))
    return samples


def figures(samples: list[Sample]) -> str:
    """Return the accuracy and the share of unsure predictions on digits, and the share of sure ones on non-digits."""
    digits = [sample for sample in samples if sample.label.isdecimal()]
    others = [sample for sample in samples if not sample.label.isdecimal()]
    parts = []
    if digits:
        right = np.mean([sample.right for sample in digits])
        sure = np.array([sample.prediction.sure for sample in digits])
        confidences = [sample.prediction.confidence for sample in digits]
        wrong = np.mean([sample.prediction.sure and not sample.right for sample in digits])
        parts.append(
            f"{len(digits):,} digits: right {right:.2%}, not sure {1 - sure.mean():.2%}, wrong but sure {wrong:.2%}, "
            f"mean confidence {np.mean(confidences):.2%}"
        )
    if others:
        parts.append(f"{len(others):,} non-digits: not sure {np.mean([sample.right for sample in others]):.2%}")
    return "; ".join(parts)


def confusions(samples: list[Sample]) -> dict[str, list[Sample]]:
    """Group samples by label and answer, the largest group first, and order each group by similarity."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[f"{sample.label} as {sample.prediction.digit}"].append(sample)
    ordered = {}
    for name, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        ordered[name] = [group[place] for place in by_similarity([sample.prediction.image for sample in group])]
    return ordered


def by_similarity(images: list[NDArray[np.uint8]]) -> list[int]:
    """Return an order in which each image is followed by the nearest of the others, beginning with the most typical."""
    points = np.stack([image.ravel() for image in images]).astype(np.float64)
    squares = (points**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * points @ points.T
    order = [int(distances.sum(axis=1).argmin())]
    while len(order) < len(images):
        left = np.setdiff1d(np.arange(len(images)), order)
        order.append(int(left[distances[order[-1], left].argmin()]))
    return order


def sheet(rows: dict[str, list[Sample]], columns: int) -> Image.Image:
    """Return the image: the rows of each confusion, ``columns`` drawings wide, with the confidence below each."""
    lines = [
        (name if start == 0 else "", row[start : start + columns])
        for name, row in rows.items()
        for start in range(0, len(row), columns)
    ]
    image = Image.new("RGB", (NAME + columns * CELL, max(1, len(lines)) * CELL), "white")
    draw = ImageDraw.Draw(image)
    for row, (name, samples) in enumerate(lines):
        draw.text((4, row * CELL + CELL // 2 - 6), name, fill="#404040")
        for column, sample in enumerate(samples):
            image.paste(draw_strokes(sample.paths), (NAME + column * CELL, row * CELL))
            place = (NAME + column * CELL + 2, (row + 1) * CELL - 11)
            draw.text(place, f"{100 * sample.prediction.confidence:.0f}", fill="#a0a0a0")
    return image


if __name__ == "__main__":
    main()
