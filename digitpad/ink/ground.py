"""Background of a picture: paper, with its shadows and glare, under dark ink.

The background is the morphological closing of the picture: every dark place in which a square of the window's side does
not fit is filled up from its surroundings. Edges of larger regions, such as a shadow, stay where they are.
"""

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

Levels = NDArray[np.uint8]


def closing(levels: Levels, side: int) -> Levels:
    """Return the greyscale closing by a square of ``side`` pixels; pixels outside the picture do not count."""
    if side >= 2 * max(levels.shape):
        return np.full_like(levels, levels.max())
    for axis in (0, 1):
        levels = _sliding_maximum(levels, side, axis)
    inverted = ~levels
    for axis in (0, 1):
        inverted = _sliding_maximum(inverted, side, axis)
    return ~inverted


def _sliding_maximum(levels: Levels, side: int, axis: int) -> Levels:
    """Return the maximum of ``side`` pixels (made odd) around each pixel along an axis, by doubling of the window."""
    reach = side // 2
    widths = [(0, 0), (0, 0)]
    widths[axis] = (reach, reach)
    window = np.moveaxis(np.pad(levels, widths), axis, 0)
    covered, side = 1, 2 * reach + 1
    while covered < side:
        step = min(covered, side - covered)
        window = np.maximum(window[:-step], window[step:])
        covered += step
    return np.moveaxis(window, 0, axis)


def noise_level(levels: Floats) -> float:
    """Return the standard deviation of the picture's noise, in its own unit, from differences of neighbouring pixels.

    Immerkær, *Fast noise variance estimation* (1996), with a median, which ink and edges hardly change.
    """
    if min(levels.shape) < 3:
        return 0.0
    step = max(1, int(np.sqrt(levels.size / 250_000)))
    rows = slice(0, None, step)
    up, middle, down = levels[:-2][rows], levels[1:-1][rows], levels[2:][rows]
    across = up - 2 * middle + down
    laplacian = across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]
    return float(np.median(np.abs(laplacian))) / (0.6745 * 6)


def box_blur(levels: Floats) -> Floats:
    """Return the mean of the 3 × 3 pixels around each pixel."""
    framed = np.pad(levels, 1, mode="edge")
    rows = framed[:-2] + framed[1:-1] + framed[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
