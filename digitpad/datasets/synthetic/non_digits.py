"""Generated images of non-digits. Training on them teaches the network when to be unsure."""

from collections.abc import Callable, Collection

import numpy as np

from digitpad.datasets.dataset import Digits
from digitpad.datasets.synthetic.glyphs import draw, kinds
from digitpad.datasets.synthetic.pen import writers
from digitpad.ink.raster import SIDE, rasterize
from digitpad.nn.losses import NONE

PER_WRITER = 10


def non_digits(
    n: int, seed: int, tell: Callable[[int], None] = lambda n_drawn: None, *, only: Collection[str] | None = None
) -> Digits:
    """Generate n images of non-digits, labelled `NONE`, prepared like drawings on the pad.

    The same seed gives the same drawings; a larger ``n`` appends more.

    Parameters
    ----------
    n, seed : int
        Number of images, and random seed.
    tell : callable, optional
        Called before each writer with the number of images so far; an exception that it raises stops generation.
    only : collection of str, optional
        Kinds to draw, in their relative frequencies in `digitpad.datasets.synthetic.glyphs.kinds`; all by default.

    Raises
    ------
    KeyError
        If a kind in ``only`` does not exist.
    """
    shares = kinds() if only is None else {kind: kinds()[kind] for kind in only}
    names, cumulative = list(shares), np.cumsum(list(shares.values()))
    images = np.empty((n, SIDE, SIDE), np.uint8)
    writer_stream = writers(seed)
    for start in range(0, n, PER_WRITER):
        tell(start)
        writer, rng = next(writer_stream)
        for row in range(start, min(start + PER_WRITER, n)):
            kind = names[int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))]
            images[row] = rasterize(draw(kind, rng, writer), writer.pen_radius_px)
    return Digits(images, np.full(n, NONE, np.uint8))
