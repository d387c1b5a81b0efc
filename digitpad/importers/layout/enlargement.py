"""Change of the size of digits to that of the images that a network takes, such as 32 × 32 for LeNet-5."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitpad.nn.layers import AddChannel, Flatten, Layer, Linear, Reshape, ZeroPad2d

LARGE_SIDE = 32
MIN_SIDE, MAX_SIDE = 4, 96  # resizing to 96 × 96 takes 7 million parameters
_SIDE = 28
_MAX_PADDED = 48

PADDED, RESIZED = "padded to 32 × 32", "resized to 32 × 32"
ENLARGEMENTS = {PADDED: 0.8, RESIZED: 0.9}
"""How uncommon each way to enlarge digits to 32 × 32 pixels is."""


def ways_to_resize(side: int) -> dict[str, float]:
    """Return how uncommon each way is to change digits to images with this side, which is not 28."""
    size = f"{side} × {side}"
    if side < _SIDE:
        return {f"resized to {size}": 0.8, f"sampled at {size}": 0.9}
    padding = {f"padded to {size}": 0.8} if side % 2 == 0 and side <= _MAX_PADDED else {}
    return padding | {f"resized to {size}": 0.9}


def enlarged(kind: str, scaling: Sequence[Layer], side: int = LARGE_SIDE) -> list[tuple[Layer, dict[str, Any]]]:
    """Return the layers that scale the pixels of an image and change its size, to the shape (side, side, 1).

    The border of a padded image is as black as the background, so it is added before scaling. Resizing is bilinear,
    with a wider filter for smaller images, as Pillow and torchvision do; "sampled" is without, as TensorFlow does.
    """
    scaled: list[tuple[Layer, dict[str, Any]]] = [(layer, {}) for layer in scaling]
    border = (side - _SIDE) // 2
    if kind.startswith("padded"):
        return [(AddChannel(), {}), (ZeroPad2d(border, border, border, border), {}), *scaled]
    return [*scaled, *resizing(_SIDE, side, filtered=not kind.startswith("sampled"))]


def resizing(side: int, new_side: int, *, filtered: bool = False) -> list[tuple[Layer, dict[str, Any]]]:
    """Return the layers that resize an image of one channel by bilinear interpolation, to (new_side, new_side, 1)."""
    n = new_side**2
    rows = _bilinear(side, new_side, filtered)
    matrix = np.kron(rows, rows).T
    linear = (Linear(n), {"weight": matrix, "bias": np.zeros(n)})
    return [(Flatten(), {}), linear, (Reshape([new_side, new_side, 1]), {})]


def _bilinear(side: int, new_side: int, filtered: bool) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the matrix of shape (new_side, side) that interpolates the pixels of a row."""
    places = (np.arange(new_side) + 0.5) * side / new_side - 0.5
    if not filtered or new_side >= side:
        places = np.clip(places, 0, side - 1)
    width = max(1.0, side / new_side) if filtered else 1.0
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(side)) / width)
    return weights / weights.sum(axis=1, keepdims=True)
