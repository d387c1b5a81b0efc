"""Digits that a pen might have written, made rather than collected, and prepared as what is drawn on the pad."""

from collections.abc import Callable

import numpy as np

from digitpad.datasets.dataset import Digits
from digitpad.datasets.synthetic.pen import N_DIGITS, write, writers
from digitpad.ink.raster import SIDE, rasterize


def pen_digits(n: int, seed: int, tell: Callable[[int], None] = lambda made: None) -> Digits:
    """So many digits, of as many writers as are needed when each writes 0 to 9 once, in this order.

    The same seed gives the same digits, and a larger ``n`` more of them. ``tell`` hears before each writer how many
    there are; what it raises ends the making.
    """
    images = np.empty((n, SIDE, SIDE), np.uint8)
    labels = (np.arange(n) % N_DIGITS).astype(np.uint8)
    hands = writers(seed)
    for place in range(0, n, N_DIGITS):
        tell(place)
        writer, rng = next(hands)
        for row in range(place, min(place + N_DIGITS, n)):
            images[row] = rasterize(write(int(labels[row]), rng, writer), writer.pen_radius_px)
    return Digits(images, labels)
