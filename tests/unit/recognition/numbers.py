"""Synthetic numbers, written side by side, in lines, or in one stroke."""

import itertools
from collections.abc import Iterator

import numpy as np

from digitpad.datasets.synthetic.pen import Writer, write, writers
from digitpad.nn.arrays import Floats


def write_number(
    text: str, writer: Writer, rng: np.random.Generator, gap: float = 0.25, *, joined: bool = False
) -> list[Floats]:
    """Write a number from left to right, each digit 100 high.

    Parameters
    ----------
    text : str
        Digits.
    writer : Writer
    rng : numpy.random.Generator
    gap : float
        Distance between the boxes of digits, in their height.
    joined : bool
        Whether the pen stays down from each digit to the next.
    """
    strokes: list[Floats] = []
    right = 0.0
    for digit in text:
        paths = write(int(digit), rng, writer)
        points = np.concatenate(paths)
        low, high = points.min(axis=0), points.max(axis=0)
        scale = 100 / (high[1] - low[1])
        corner = np.array([right + rng.normal(0, 2), rng.normal(0, 3)])
        right += scale * (high[0] - low[0]) + 100 * gap
        placed = [(path - low) * scale + corner for path in paths]
        if joined and strokes:
            strokes[-1] = np.concatenate([strokes[-1], placed.pop(0)])
        strokes += placed
    return strokes


def numbers(n: int, seed: int, *, joined: bool = False, n_digits: int = 3) -> Iterator[tuple[str, list[Floats]]]:
    """Yield numbers with their text, each by another writer; joined numbers use only digits of one stroke."""
    for writer, rng in itertools.islice(writers(seed), n):
        simple = [digit for digit in range(10) if len(writer.styles[digit].strokes) == 1]
        text = "".join(str(rng.choice(simple if joined else 10)) for _ in range(n_digits))
        yield text, write_number(text, writer, rng, gap=rng.uniform(0.1, 0.4), joined=joined)
