"""Enlargement of digits to 32 × 32 pixels, the size of the images that LeNet-5 takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitpad.nn.layers import AddChannel, Flatten, Layer, Linear, Reshape, ZeroPad2d

LARGE_SIDE = 32
_SIDE = 28

PADDED, RESIZED = "padded to 32 × 32", "resized to 32 × 32"
ENLARGEMENTS = {PADDED: 0.8, RESIZED: 0.9}
"""How uncommon each way to enlarge digits is."""


def enlarged(kind: str, scaling: Sequence[Layer]) -> list[tuple[Layer, dict[str, Any]]]:
    """Return the layers that scale the pixels of an image and enlarge it, to the shape (32, 32, 1).

    The border of a padded image is as black as the background, so it is added before scaling. Resizing is bilinear.
    """
    scaled: list[tuple[Layer, dict[str, Any]]] = [(layer, {}) for layer in scaling]
    border = (LARGE_SIDE - _SIDE) // 2
    if kind == PADDED:
        return [(AddChannel(), {}), (ZeroPad2d(border, border, border, border), {}), *scaled]
    n = LARGE_SIDE**2
    matrix = np.kron(_bilinear(), _bilinear()).T
    resizing = (Linear(n), {"weight": matrix, "bias": np.zeros(n)})
    return [*scaled, (Flatten(), {}), resizing, (Reshape([LARGE_SIDE, LARGE_SIDE, 1]), {})]


def _bilinear() -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the matrix of shape (32, 28) that interpolates the pixels of a row."""
    places = np.clip((np.arange(LARGE_SIDE) + 0.5) * _SIDE / LARGE_SIDE - 0.5, 0, _SIDE - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(_SIDE)))
