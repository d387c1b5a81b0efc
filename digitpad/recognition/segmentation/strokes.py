"""Strokes as parts: each stroke whole, or in pieces where it may write several digits."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.recognition.segmentation.parts import MAX_POINTS, Box, Part

MIN_ASPECT = 1.2
"""Width to height of the narrowest stroke that may write two digits."""

MAX_OVERLAP = 0.2
"""How far the ink before a cut may reach over the ink after it, in heights of the stroke."""

MIN_PIECE = 0.45
"""Smallest way down of the pen on either side of a cut, in heights of the stroke.

Every digit has a line that goes down. The first line of a wide 1 goes up only, so it is not another 1.
"""

LIGATURE_CUTS = (0.15, 0.5, 0.85)
"""Cuts along the line that joins two digits, as shares of its points: it may belong to either of them."""

MAX_CUTS = 9


class DividedStrokes:
    """Strokes as parts of ink, see `DividedInk`.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        Strokes in any unit, in writing order; a stroke without points is left out.
    """

    def __init__(self, paths: Sequence[Floats]) -> None:
        self._pieces: list[Floats] = []
        self._keys: list[bytes] = []
        self.parts: list[Part] = []
        for whole, path in enumerate(paths):
            if not len(path):
                continue
            for piece in _cut(path):
                self._pieces.append(piece)
                self._keys.append(piece.tobytes())
                self.parts.append(Part(_spread(piece), Box.around(piece), whole))

    def key(self, parts: Sequence[int]) -> Hashable:
        """Return what identifies the ink of these parts."""
        return tuple([self._keys[part] for part in parts])

    def rasterize(self, parts: Sequence[int]) -> NDArray[np.uint8]:
        """Return the network input for these parts; uncut strokes give what `rasterize` gives for their paths."""
        paths: list[Floats] = []
        for i, part in enumerate(parts):
            piece = self._pieces[part]
            if i and part - parts[i - 1] == 1 and self.parts[part].whole == self.parts[part - 1].whole:
                paths[-1] = np.concatenate([paths[-1], piece[1:]])  # consecutive pieces share a point
            else:
                paths.append(piece)
        return rasterize(paths)


def _spread(path: Floats) -> Floats:
    """Return at most `MAX_POINTS` points of a path at equal distances, so that a long line has no gaps."""
    lengths = np.hypot(*np.diff(path, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    if along[-1] == 0:
        return path[:1]
    at = np.linspace(0, along[-1], MAX_POINTS)
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def _cut(path: Floats) -> list[Floats]:
    """Return the pieces of a stroke between the places where one digit may end and the next begin.

    There, all ink before lies to the left of all ink after, apart from a small overlap. Only wide strokes are cut.
    """
    width, height = np.ptp(path, axis=0)
    if len(path) < 3 or width < MIN_ASPECT * height or height == 0:
        return [path]
    path = _dense(path, height / 20)
    x, y = path.T
    overlap = np.maximum(0, np.maximum.accumulate(x)[:-1] - np.minimum.accumulate(x[::-1])[::-1][1:]) / height
    before = np.maximum.accumulate(y - np.minimum.accumulate(y))  # longest way down so far
    after = np.maximum.accumulate(np.maximum.accumulate(y[::-1]) - y[::-1])[::-1]
    allowed = (overlap <= MAX_OVERLAP) & (np.minimum(before[:-1], after[1:]) >= MIN_PIECE * height)
    cuts: list[int] = []
    for run in _runs(allowed):
        neck = run[overlap[run] <= overlap[run].min() + 0.01]
        cuts += [int(neck[int(share * (len(neck) - 1))]) + 1 for share in LIGATURE_CUTS]
    places = sorted(set(cuts))
    if len(places) > MAX_CUTS:
        places = [places[i] for i in np.linspace(0, len(places) - 1, MAX_CUTS).astype(int)]
    ends = [0, *places, len(path) - 1]
    return [path[begin : end + 1] for begin, end in zip(ends[:-1], ends[1:], strict=True) if end > begin]


def _dense(path: Floats, step: float) -> Floats:
    """Return the path with points at most about ``step`` apart, its own included."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    n_steps = min(1000, int(along[-1] / step) + 2)
    at = np.union1d(along, np.linspace(0, along[-1], n_steps))
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def _runs(flags: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Return the indices of each run of true flags."""
    places = np.flatnonzero(flags)
    return [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]
