"""Rasterisation of pen paths to 28 × 28 pixels, with the preprocessing of MNIST.

MNIST's digits were scaled into a box of 20 × 20 pixels, with the aspect ratio kept, and placed by their centre of mass
in 28 × 28 pixels (LeCun et al., 1998). Here, the *path* is scaled and then drawn with a pen of fixed width. So neither
the size of the digit nor the displayed pen width changes the network input.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

SIDE = 28
BOX = 20
CENTRE = 14.0
"""Centre of mass in MNIST, in pixel indices; the mean over its training images is (14.00, 14.01)."""

PEN_RADIUS_PX = 1.1
"""Pen radius, similar to MNIST's strokes. Of 0.8 to 1.7, values of 1.0 to 1.2 gave the best accuracy on pen strokes."""

EDGE_PX = 1.2
"""Width of the pen's soft edge, where ink fades from full to none."""

MIN_EXTENT = 1e-305
"""Smallest extent, in any unit; closer points count as a single point, because the scale would overflow."""

SEGMENT_PX = 1.0
MAX_SEGMENTS = 600
"""Limit of segments, more than any digit needs (about 60); a longer scribble gets longer segments."""

SEGMENTS_AT_ONCE = 512
SPECK_SHARE = 0.1
"""A stroke smaller than this share of the drawing is a speck if it is also separate from the rest."""

DOT_REACH = (0.25, 0.5)
"""Largest distance of a dot to the side, and above or below, as shares of the size; without its dot, an i or an
exclamation mark would be a 1."""


def rasterize(paths: Sequence[Floats], pen_radius_px: float = PEN_RADIUS_PX) -> NDArray[np.uint8]:
    """Return the network input for these paths.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        One path per stroke: x and y in any unit, with y growing downwards. Only relative sizes matter.
    pen_radius_px : float
        Pen radius in pixels of the result; user drawings always use the default.

    Returns
    -------
    ndarray of uint8, shape (28, 28)
        255 is ink and 0 is background; all 0 if there are no points.
    """
    paths = without_specks([path for path in paths if len(path)])
    if not paths:
        return np.zeros((SIDE, SIDE), np.uint8)
    image, _ = _rasterize(paths, pen_radius_px)
    return np.rint(image * 255).astype(np.uint8)


def input_area(paths: Sequence[Floats], pen_radius_px: float = PEN_RADIUS_PX) -> tuple[float, float, float] | None:
    """Return the square of the drawing that the network input shows: left, top and side, in the unit of the paths.

    None if there is no ink, or only dots.
    """
    paths = without_specks([path for path in paths if len(path)])
    if not paths:
        return None
    _, (scale, left, top) = _rasterize(paths, pen_radius_px)
    return None if scale == 0 else (left, top, SIDE / scale)


def _rasterize(paths: Sequence[Floats], pen_radius_px: float) -> tuple[Floats, tuple[float, float, float]]:
    """Return ink in 0..1, and the pixels per unit of the paths with the position of the upper left corner."""
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float((high - low).max())
    # The pen extends beyond its path on both sides, and this ink must also fit into the box.
    scale = (BOX - 2 * pen_radius_px - EDGE_PX / 2) / extent if extent > MIN_EXTENT else 0.0
    middle = (low + high) / 2
    starts, steps = _segments([(path - middle) * scale for path in paths])
    image = _draw(starts + CENTRE, steps, pen_radius_px)
    # A shift by whole pixels would make the result jump, so draw again with the exact shift.
    room = (SIDE - BOX) / 2
    shift = np.clip(CENTRE - centre_of_mass(image), -room, room)
    image = _draw(starts + (CENTRE + shift), steps, pen_radius_px)
    # A pixel's index is that of its middle.
    corner = middle - (CENTRE + shift + 0.5) / (scale or 1)
    return image, (scale, float(corner[0]), float(corner[1]))


def centre_of_mass(image: Floats) -> Floats:
    """Return x and y of the centre of mass, in pixel indices."""
    total = image.sum()
    return np.array([image.sum(axis=0) @ np.arange(image.shape[1]), image.sum(axis=1) @ np.arange(image.shape[0])]) / (
        total or 1
    )


def without_specks(paths: Sequence[Floats]) -> list[Floats]:
    """Return the paths without specks, which would make the digit smaller."""
    boxes = np.array([[path.min(axis=0), path.max(axis=0)] for path in paths]).reshape(-1, 2, 2)
    return [path for path, kept in zip(paths, not_specks(boxes), strict=True) if kept]


def not_specks(boxes: Floats) -> NDArray[np.bool_]:
    """Return which parts of a drawing belong to the digit.

    A speck is much smaller than the largest part, and is separate from all large parts. A dot inside the digit is kept,
    because it does not change the size. A dot directly above or below is kept too, like that of an i or an
    exclamation mark. If all parts are small, none of them is a speck.

    Parameters
    ----------
    boxes : ndarray of shape (n_parts, 2, 2)
        Minimum and maximum of x and y of each part.

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
    drop = boxes[:, 0, 1] - high[1]
    beside = (boxes[:, 1, 0] >= low[0] - aside) & (boxes[:, 0, 0] <= high[0] + aside)
    is_dot = beside & (((rise >= 0) & (rise <= above)) | ((drop >= 0) & (drop <= above)))
    return large | near | is_dot


def _segments(paths: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return starts and steps, both of shape (n, 2), of short segments of equal length along each path."""
    starts, steps = [], []
    total_length = sum(float(np.hypot(*np.diff(path, axis=0).T).sum()) for path in paths)
    segment_length = max(SEGMENT_PX, total_length / MAX_SEGMENTS)
    for path in paths:
        lengths = np.hypot(*np.diff(path, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(lengths)])
        n_segments = max(1, int(np.ceil(along[-1] / segment_length)))
        at = np.linspace(0, along[-1], n_segments + 1)
        knots = np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)
        starts.append(knots[:-1])
        steps.append(np.diff(knots, axis=0))
    return np.concatenate(starts), np.concatenate(steps)


def _draw(starts: Floats, steps: Floats, pen_radius_px: float) -> Floats:
    """Return ink of 0..1, shape (28, 28), from each pixel's distance to the nearest segment."""
    nearest = np.full(SIDE * SIDE, np.inf)
    for begin in range(0, len(starts), SEGMENTS_AT_ONCE):
        chunk = slice(begin, begin + SEGMENTS_AT_ONCE)
        _update_nearest(nearest, starts[chunk], steps[chunk], pen_radius_px + EDGE_PX / 2)
    return np.clip((pen_radius_px - np.sqrt(nearest)) / EDGE_PX + 0.5, 0, 1).reshape(SIDE, SIDE)


def _update_nearest(nearest: Floats, starts: Floats, steps: Floats, reach_px: float) -> None:
    """Lower each pixel's squared distance, shape (n_pixels,), to that of any closer segment within ``reach_px``.

    Only the pixels in a square around each segment are computed: about 36 of 784, which takes a tenth of the time.
    """
    side = min(SIDE, math.ceil(np.abs(steps).max() + 2 * reach_px) + 1)
    corners = np.floor(np.minimum(starts, starts + steps) - reach_px)
    # Clipping moves pixels outside the image to its edge; the distance is then computed for the edge pixel.
    pixels = np.clip(corners[:, :, None] + np.arange(side), 0, SIDE - 1)
    x, y = pixels[:, 0, None, :], pixels[:, 1, :, None]
    to_x, to_y = x - starts[:, 0, None, None], y - starts[:, 1, None, None]
    step_x, step_y = steps[:, 0, None, None], steps[:, 1, None, None]
    squared_lengths = np.maximum(step_x * step_x + step_y * step_y, 1e-12)  # a dot is a segment of length 0
    along = np.clip((to_x * step_x + to_y * step_y) / squared_lengths, 0, 1)
    off_x, off_y = to_x - along * step_x, to_y - along * step_y
    np.minimum.at(nearest, (y * SIDE + x).astype(np.intp).ravel(), (off_x * off_x + off_y * off_y).ravel())
