"""Layers that move values without computing: zero padding and reshaping."""

import math
from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer, check_sizes, images_only

MAX_PADDING = 28
MAX_SIDE = 65_536


@dataclass
class ZeroPad2d(Layer):
    """Zero padding of images, with a different number of rows and columns on each side."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, **dict.fromkeys(("top", "bottom", "left", "right"), (0, MAX_PADDING)))

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = images_only(self, input_shape)
        return (height + self.top + self.bottom, width + self.left + self.right, channels)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = height, n, width, channels = x.shape
        y = self.scratch("y", (height + self.top + self.bottom, n, width + self.left + self.right, channels))
        y.fill(0)
        self._interior(y)[...] = x
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, the part of dy within the padding."""
        dx = self.scratch("dx", self._x_shape)
        dx[...] = self._interior(dy)
        return dx

    def _interior(self, padded: Floats) -> Floats:
        height, _, width, _ = self._x_shape
        return padded[self.top : self.top + height, :, self.left : self.left + width]


@dataclass
class Reshape(Layer):
    """Reshape each sample, in the order of its elements: (units,), (height, width) or (height, width, channels)."""

    shape: list[int]

    def __post_init__(self) -> None:
        shape = self.shape
        valid = isinstance(shape, list | tuple) and 1 <= len(shape) <= 3
        if not valid or not all(type(size) is int and 1 <= size <= MAX_SIDE for size in shape):
            raise ValueError(f"Reshape takes a list of 1 to 3 sizes of 1 to {MAX_SIDE}, not {str(shape)[:80]}")
        self.shape = list(shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        if math.prod(input_shape) != math.prod(self.shape):
            raise ValueError(f"samples of shape {input_shape} cannot be reshaped to {tuple(self.shape)}")
        return tuple(self.shape)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._is_image, self._x_shape = x.ndim == 4, x.shape
        return _exchanged(_exchanged(x).reshape(-1, *self.shape))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, which is dy in the shape of x."""
        shape = self._x_shape
        if self._is_image:
            shape = (shape[1], shape[0], *shape[2:])
        return _exchanged(_exchanged(dy).reshape(shape))


def _exchanged(x: Floats) -> Floats:
    """Return images with channels with the rows before the samples, or the reverse; other batches stay as they are."""
    return np.ascontiguousarray(x.swapaxes(0, 1)) if x.ndim == 4 else x
