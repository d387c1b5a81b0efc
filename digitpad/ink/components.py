"""Connected components of a mask: their numbers, bounding boxes and ink."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def label(mask: Mask) -> NDArray[np.int32]:
    """Number the connected components (8-connectivity) from 1, with 0 outside.

    Runs of each row are joined to the runs that they touch in the row above. Their numbers are then replaced by the
    smallest number that is connected, until nothing changes.
    """
    height, width = mask.shape
    framed = np.zeros((height, width + 2), np.int8)
    framed[:, 1:-1] = mask
    change = np.diff(framed, axis=1)
    rows, begins = np.nonzero(change == 1)
    ends = np.nonzero(change == -1)[1]
    if not len(rows):
        return np.zeros(mask.shape, np.int32)
    stride = width + 3
    # Runs of the row above that begin at or before this run's end, and that end at or after its begin.
    first = np.searchsorted((rows + 1) * stride + ends, rows * stride + begins, side="left")
    last = np.searchsorted((rows + 1) * stride + begins, rows * stride + ends, side="right")
    counts = np.maximum(last - first, 0)
    below = np.repeat(np.arange(len(rows)), counts)
    above = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))
    roots = _smallest_connected(len(rows), above, below)
    _, numbers = np.unique(roots, return_inverse=True)
    parts = np.zeros(mask.shape, np.int32)
    parts[mask] = np.repeat(numbers + 1, ends - begins)
    return parts


def _smallest_connected(n: int, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the smallest node that is connected to each of ``n`` nodes, given the two nodes of each edge."""
    roots = np.arange(n)
    while True:
        low, high = np.minimum(roots[first], roots[second]), np.maximum(roots[first], roots[second])
        if (low == high).all():
            return roots
        np.minimum.at(roots, high, low)
        while not np.array_equal(jumped := roots[roots], roots):
            roots = jumped


def bounding_boxes(parts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return left, top, right and bottom (exclusive) of each component; shape (n_components, 4)."""
    n = int(parts.max(initial=0))
    boxes = np.empty((n, 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = max(parts.shape), 0
    ys, xs = np.nonzero(parts)
    numbers = parts[ys, xs] - 1
    for axis, places in enumerate((xs, ys)):
        np.minimum.at(boxes[:, axis], numbers, places)
        np.maximum.at(boxes[:, axis + 2], numbers, places + 1)
    return boxes


def grow(mask: Mask, steps: int) -> Mask:
    """Return the mask grown by ``steps`` pixels in each direction."""
    grown = mask.copy()
    for _ in range(steps):
        grown[1:] |= grown[:-1].copy()
        grown[:-1] |= grown[1:].copy()
        grown[:, 1:] |= grown[:, :-1].copy()
        grown[:, :-1] |= grown[:, 1:].copy()
    return grown


def bounds(mask: Mask) -> tuple[int, int, int, int] | None:
    """Return the top, bottom, left and right of a mask, with exclusive ends, or None if it is empty."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
