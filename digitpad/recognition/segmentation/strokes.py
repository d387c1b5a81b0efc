"""Strokes as parts: each stroke whole, or in pieces where it may write several digits."""

import functools
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.raster import rasterize
from digitpad.nn.arrays import Floats
from digitpad.recognition.segmentation.parts import Box, Part

MIN_ASPECT = 1.2
"""Width to height of the narrowest stroke that may write two digits."""

MIN_JOINED_ASPECT = 0.8
"""The same for a stroke with a straight line between two digits."""

MIN_LINE, STRAIGHT = 0.15, 0.95
"""Smallest width of such a line, in heights of the stroke, and smallest ratio of its chord to its length."""

CORNER, CORNER_REACH = 0.6, 3
"""Largest cosine of the turn at a corner, and number of points on either side from which it is computed."""

MAX_OVERLAP = 0.2
"""How far the ink before a cut may reach over the ink after it, in heights of the stroke."""

MIN_PIECE = 0.45
"""Smallest way down of the pen on either side of a cut, in heights of the stroke.

Every digit has a line that goes down. The first line of a wide 1 goes up only, so it is not another 1.
"""

LIGATURE_CUTS = (0.15, 0.5, 0.85)
"""Cuts along the line that joins two digits, as shares of its points: it may belong to either of them."""

MAX_CUTS = 9

MAX_BEND = 0.17
"""Largest width of a straight stroke, as a share of its length."""


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
            if len(path):
                for piece, key, box, joins, straight in _divide(np.asarray(path, np.float64).tobytes()):
                    self._pieces.append(piece)
                    self._keys.append(key)
                    self.parts.append(Part(box, whole, joins, straight))

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


@functools.lru_cache(maxsize=256)
def _divide(path: bytes) -> list[tuple[Floats, bytes, Box, bool, bool]]:
    """Return the pieces of a stroke, each with its key, its box, whether it may only join two digits or is straight.

    The strokes of a drawing are the same at each movement of the pen, except for the last.
    """
    points = np.frombuffer(path).reshape(-1, 2)
    if _is_straight(points):
        return [(points, path, Box.around(points), False, True)]
    pieces, joins = _cut(points)
    return [(piece, piece.tobytes(), Box.around(piece), join, False) for piece, join in zip(pieces, joins, strict=True)]


def _is_straight(path: Floats) -> bool:
    """Return whether a path stays near its longest line, as that of a minus sign does."""
    centred = path - path.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    length, width = np.ptp(centred @ axes.T, axis=0) if len(axes) > 1 else (1.0, 0.0)
    return bool(width <= MAX_BEND * length)


def _cut(path: Floats) -> tuple[list[Floats], list[bool]]:
    """Return the pieces of a stroke that may write several digits, and which of them may only join two digits.

    A stroke is cut at both ends of a straight line to the right, and where all ink before lies to the left of all ink
    after. A small overlap is allowed. Only wide strokes are cut.
    """
    width, height = np.ptp(path, axis=0)
    if len(path) < 3 or width < MIN_JOINED_ASPECT * height or height == 0:
        return [path], [False]
    path = _dense(path, height / 20)
    x, y = path.T / height
    right, left = np.maximum.accumulate(x), np.minimum.accumulate(x[::-1])[::-1]
    down_before = np.maximum.accumulate(y - np.minimum.accumulate(y))  # longest way down so far
    down_after = np.maximum.accumulate(np.maximum.accumulate(y[::-1]) - y[::-1])[::-1]
    lines = [
        (begin, end)
        for begin, end in _lines_to_the_right(path / height)
        if right[begin] - left[end] <= MAX_OVERLAP and min(down_before[begin], down_after[end]) >= MIN_PIECE
    ]
    places = {place for line in lines for place in line}
    if width >= MIN_ASPECT * height:
        overlap = np.maximum(0, right[:-1] - left[1:])
        allowed = (overlap <= MAX_OVERLAP) & (np.minimum(down_before[:-1], down_after[1:]) >= MIN_PIECE)
        for run in _runs(allowed):
            neck = run[overlap[run] <= overlap[run].min() + 0.01]
            cuts = {int(neck[int(share * (len(neck) - 1))]) + 1 for share in LIGATURE_CUTS}
            if not any(begin < cut < end for begin, end in lines for cut in cuts):
                places |= cuts
    if len(places) > MAX_CUTS:
        places = set(sorted(places)[:: len(places) // MAX_CUTS + 1])
    ends = sorted({0, *places, len(path) - 1})
    pairs = list(zip(ends[:-1], ends[1:], strict=True))
    return [path[begin : end + 1] for begin, end in pairs], [pair in lines for pair in pairs]


def _lines_to_the_right(path: Floats) -> list[tuple[int, int]]:
    """Return the first and last index of each straight line between two corners, level or upwards to the right."""
    n = len(path)
    before = path - path[np.maximum(np.arange(n) - CORNER_REACH, 0)]
    after = path[np.minimum(np.arange(n) + CORNER_REACH, n - 1)] - path
    norms = np.hypot(*before.T) * np.hypot(*after.T)
    cosine = np.divide((before * after).sum(axis=1), norms, out=np.ones(n), where=norms > 0)
    corners = [int(run[np.argmin(cosine[run])]) for run in _runs(cosine < CORNER)]
    lines = []
    for begin, end in zip(corners[:-1], corners[1:], strict=True):
        x, y = path[end] - path[begin]
        length = float(np.hypot(*np.diff(path[begin : end + 1], axis=0).T).sum())
        if x > MIN_LINE and y < x / 2 and np.hypot(x, y) > STRAIGHT * length:
            lines.append((begin, end))
    return lines


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
