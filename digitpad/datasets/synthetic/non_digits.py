"""Things that are no digits, made rather than collected, for a network to learn when not to be sure."""

from collections.abc import Callable, Collection

import numpy as np

from digitpad.datasets.dataset import Digits
from digitpad.datasets.synthetic.glyphs import draw, kinds
from digitpad.datasets.synthetic.pen import writers
from digitpad.ink.raster import SIDE, rasterize
from digitpad.nn.losses import NONE

PER_WRITER = 10


def non_digits(
    n: int, seed: int, tell: Callable[[int], None] = lambda made: None, *, only: Collection[str] | None = None
) -> Digits:
    """So many drawings that are no digits, labelled `NONE`, prepared as what is drawn on the pad.

    The same seed gives the same drawings, and a larger ``n`` more of them.

    Parameters
    ----------
    n, seed : int
    tell : callable, optional
        Hears before each writer how many there are; what it raises ends the making.
    only : collection of str, optional
        Of these kinds alone, in the proportion that they have among all of `digitpad.datasets.synthetic.glyphs.kinds`.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    shares = kinds() if only is None else {kind: kinds()[kind] for kind in only}
    names, upto = list(shares), np.cumsum(list(shares.values()))
    images = np.empty((n, SIDE, SIDE), np.uint8)
    hands = writers(seed)
    for place in range(0, n, PER_WRITER):
        tell(place)
        writer, rng = next(hands)
        for row in range(place, min(place + PER_WRITER, n)):
            kind = names[int(np.searchsorted(upto, rng.random() * upto[-1], side="right"))]
            images[row] = rasterize(draw(kind, rng, writer), writer.pen_radius_px)
    return Digits(images, np.full(n, NONE, np.uint8))
