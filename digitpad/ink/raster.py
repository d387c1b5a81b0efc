"""From the path of a pen to 28 × 28 pixels, prepared as MNIST's digits were.

MNIST's digits were scaled, aspect kept, into a box of 20 × 20 pixels and placed by their centre of mass in 28 × 28
(LeCun et al., 1998). Here the *path* is scaled and then drawn anew, with a pen of one width, so that neither the size
of a digit nor that of the pen on the screen changes what the network sees.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

SIDE = 28
BOX = 20
CENTRE = 14.0
"""Where MNIST puts the centre of mass, in pixel indices: the mean over its training images is (14.00, 14.01)."""

PEN_RADIUS_PX = 1.1
"""MNIST's strokes are about this wide: of 0.8 to 1.7, what lies around 1.0 to 1.2 reads real pen strokes best."""

EDGE_PX = 1.2
"""Over how many pixels the pen's edge fades from full to none."""

MIN_EXTENT = 1e-305
"""Points closer than this are one point, whatever the unit; the scale would not be a number."""

SEGMENT_PX = 1.0
MAX_SEGMENTS = 600
"""More than any digit needs (about 60); a scribble that would need more is followed more coarsely."""

SEGMENTS_AT_ONCE = 512
SPECK_SHARE = 0.1
"""A stroke smaller than this share of the drawing's size is a speck if it also lies apart from the rest."""

DOT_REACH = (0.25, 0.5)
"""So far aside and above the rest, as shares of its size, a dot belongs to it: an i without its dot would be a 1."""


def rasterize(paths: Sequence[Floats], pen_radius_px: float = PEN_RADIUS_PX) -> NDArray[np.uint8]:
    """The digit that these paths draw, as the network sees it.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        One a stroke: x and y, y growing downwards, in any unit. Only relative sizes count.
    pen_radius_px : float
        In pixels of the result. A user's ink is always drawn with the same pen.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        Ink is 255 on 0; all 0 where there is no point at all.
    """
    paths = without_specks([path for path in paths if len(path)])
    if not paths:
        return np.zeros((SIDE, SIDE), np.uint8)
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    # The pen reaches beyond its path on both sides, and what it leaves there must fit into the box as well.
    scale = (BOX - 2 * pen_radius_px - EDGE_PX / 2) / extent if extent > MIN_EXTENT else 0.0
    middle = (low + high) / 2
    starts, steps = _segments([(path - middle) * scale for path in paths])
    image = _draw(starts + CENTRE, steps, pen_radius_px)
    # Moving by whole pixels would make the result jump where a centre lies halfway: so draw once more, moved.
    room = (SIDE - BOX) / 2
    shift = np.clip(CENTRE - centre_of_mass(image), -room, room)
    image = _draw(starts + (CENTRE + shift), steps, pen_radius_px)
    return np.rint(image * 255).astype(np.uint8)


def centre_of_mass(image: Floats) -> Floats:
    """X and y, in pixel indices."""
    total = image.sum()
    return np.array([image.sum(axis=0) @ np.arange(image.shape[1]), image.sum(axis=1) @ np.arange(image.shape[0])]) / (
        total or 1
    )


def without_specks(paths: Sequence[Floats]) -> list[Floats]:
    """The paths without stray dots, which would shrink the digit if they counted."""
    boxes = np.array([[path.min(axis=0), path.max(axis=0)] for path in paths]).reshape(-1, 2, 2)
    return [path for path, kept in zip(paths, not_specks(boxes), strict=True) if kept]


def not_specks(boxes: Floats) -> NDArray[np.bool_]:
    """Which of the parts of a drawing belong to the digit.

    A speck is much smaller than the largest part, and lies apart from all that is large. A dot inside a digit stays, as
    it makes nothing smaller, and so does one right above, as that of an i; and where all is small, nothing is a speck.

    Parameters
    ----------
    boxes : ndarray of shape (n_parts, 2, 2)
        The lowest and the highest x and y of each part.

    Returns
    -------
    ndarray of bool, shape (n_parts,)
    """
    if len(boxes) < 2:
        return np.ones(len(boxes), bool)
    sizes = (boxes[:, 1] - boxes[:, 0]).max(axis=1)
    large = sizes > SPECK_SHARE * sizes.max()
    if not large.any():
        return ~large
    low, high = boxes[large, 0].min(axis=0), boxes[large, 1].max(axis=0)
    size = (high - low).max()
    margin = SPECK_SHARE * size
    near: NDArray[np.bool_] = ((boxes[:, 1] >= low - margin) & (boxes[:, 0] <= high + margin)).all(axis=1)
    aside, above = size * np.array(DOT_REACH)
    rise = low[1] - boxes[:, 1, 1]
    is_dot = (boxes[:, 1, 0] >= low[0] - aside) & (boxes[:, 0, 0] <= high[0] + aside) & (rise >= 0) & (rise <= above)
    return large | near | is_dot


def _segments(paths: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Starts and steps, both of shape (n, 2), of short straight pieces that follow the paths, evenly along each."""
    starts, steps = [], []
    whole = sum(float(np.hypot(*np.diff(path, axis=0).T).sum()) for path in paths)
    longest = max(SEGMENT_PX, whole / MAX_SEGMENTS)
    for path in paths:
        lengths = np.hypot(*np.diff(path, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        pieces = max(1, int(np.ceil(along[-1] / longest)))
        at = np.linspace(0, along[-1], pieces + 1)
        knots = np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)
        starts.append(knots[:-1])
        steps.append(np.diff(knots, axis=0))
    return np.concatenate(starts), np.concatenate(steps)


def _draw(starts: Floats, steps: Floats, pen_radius_px: float) -> Floats:
    """Ink of 0..1, shape (28, 28), by each pixel's distance from the nearest segment."""
    nearest = np.full(SIDE * SIDE, np.inf)
    for begin in range(0, len(starts), SEGMENTS_AT_ONCE):
        some = slice(begin, begin + SEGMENTS_AT_ONCE)
        _bring_nearer(nearest, starts[some], steps[some], pen_radius_px + EDGE_PX / 2)
    return np.clip((pen_radius_px - np.sqrt(nearest)) / EDGE_PX + 0.5, 0, 1).reshape(SIDE, SIDE)


def _bring_nearer(nearest: Floats, starts: Floats, steps: Floats, reach_px: float) -> None:
    """Lower each pixel's squared distance, shape (n_pixels,), to that from segments that come within ``reach_px``.

    Only the pixels in a square around each segment are looked at: some 36 of 784, so this takes a tenth of the time.
    """
    side = min(SIDE, math.ceil(np.abs(steps).max() + 2 * reach_px) + 1)
    corners = np.floor(np.minimum(starts, starts + steps) - reach_px)
    # What lies outside the image counts at its edge, where it is as far from the segment as it is.
    pixels = np.clip(corners[:, :, None] + np.arange(side), 0, SIDE - 1)
    x, y = pixels[:, 0, None, :], pixels[:, 1, :, None]
    to_x, to_y = x - starts[:, 0, None, None], y - starts[:, 1, None, None]
    step_x, step_y = steps[:, 0, None, None], steps[:, 1, None, None]
    squared_lengths = np.maximum(step_x * step_x + step_y * step_y, 1e-12)  # a dot is a segment of no length
    along = np.clip((to_x * step_x + to_y * step_y) / squared_lengths, 0, 1)
    off_x, off_y = to_x - along * step_x, to_y - along * step_y
    np.minimum.at(nearest, (y * SIDE + x).astype(np.intp).ravel(), (off_x * off_x + off_y * off_y).ravel())
