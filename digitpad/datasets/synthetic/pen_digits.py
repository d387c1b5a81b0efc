"""Generated handwritten digits, prepared like drawings on the pad."""

from collections.abc import Callable

import numpy as np

from digitpad.datasets.dataset import Digits
from digitpad.datasets.synthetic.pen import N_DIGITS, write, writers
from digitpad.ink.raster import SIDE, rasterize


def pen_digits(n: int, seed: int, tell: Callable[[int], None] = lambda n_drawn: None) -> Digits:
    """Generate n digits; each writer writes 0 to 9 once, in this order.

    The same seed gives the same digits; a larger ``n`` appends more. ``tell`` is called before each writer with the
    number of digits so far; an exception that it raises stops generation.
    """
    images = np.empty((n, SIDE, SIDE), np.uint8)
    labels = (np.arange(n) % N_DIGITS).astype(np.uint8)
    writer_stream = writers(seed)
    for start in range(0, n, N_DIGITS):
        tell(start)
        writer, rng = next(writer_stream)
        for row in range(start, min(start + N_DIGITS, n)):
            images[row] = rasterize(write(int(labels[row]), rng, writer), writer.pen_radius_px)
    return Digits(images, labels)
