"""Pooling: each square window of an image becomes one number, which makes the network robust to small shifts."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer, images_only


@dataclass
class _Pool2d(Layer):
    """Base class of pooling over non-overlapping windows of ``size`` × ``size``.

    Rows and columns that do not fill a window at the bottom and at the right are ignored.
    """

    size: int = 2

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 1 <= self.size <= 28:
            raise ValueError(f"{type(self).__name__} takes a size of 1 to 28, not {self.size!r}")

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = images_only(self, input_shape)
        if self.size > min(height, width):
            raise ValueError(
                f"a {self.size} × {self.size} pooling window does not fit into an image of {height} × {width}"
            )
        return (height // self.size, width // self.size, channels)

    def _rows(self, images: Floats) -> list[Floats]:
        """Return views of the first, second, ... rows of all windows of images (height, n, width, channels)."""
        used = len(images) // self.size * self.size
        return [images[k : used : self.size] for k in range(self.size)]

    def _columns(self, images: Floats) -> list[Floats]:
        """Return views of the first, second, ... columns of all windows of images (height, n, width, channels)."""
        used = images.shape[2] // self.size * self.size
        return [images[:, :, k : used : self.size] for k in range(self.size)]

    def _gradient_array(self, name: str, shape: Shape) -> Floats:
        """Return an array for the gradient of images; it is zero where no window covers the images."""
        gradient = self.scratch(name, shape)
        if shape[0] % self.size or shape[2] % self.size:
            gradient.fill(0)
        return gradient


@dataclass
class MaxPool2d(_Pool2d):
    """Max pooling: y is the maximum of each window.

    If several values are equal, the first counts as the maximum, so that only one position receives the gradient, also
    where an image is blank.
    """

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        rows = self._maximum("rows", self._rows(x))
        return self._maximum("columns", self._columns(rows))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, which is dy where x was the maximum of its window, and 0 elsewhere."""
        height, n, _, channels = dy.shape
        rows = self._gradient_array("drows", (height * self.size, n, self._x_shape[2], channels))[:height]
        dx = self._gradient_array("dx", self._x_shape)
        self._route_gradient("columns", dy, self._columns(rows))
        self._route_gradient("rows", rows, self._rows(dx))
        return dx

    def _maximum(self, name: str, candidates: list[Floats]) -> Floats:
        """Return the elementwise maximum of the candidates, and keep the comparisons for `_route_gradient`."""
        first, *others = candidates
        largest = self.scratch(f"maximum {name}", first.shape)
        if not others:
            largest[...] = first
        for k, other in enumerate(others):
            current = first if k == 0 else largest
            np.greater(other, current, out=self.scratch(f"is larger {name} {k}", first.shape, np.bool_))
            np.maximum(current, other, out=largest)
        return largest

    def _route_gradient(self, name: str, gradient: Floats, candidates: list[Floats]) -> None:
        """Write the gradient of the maximum to the candidate that was the maximum; ``gradient`` is overwritten."""
        first, *others = candidates
        for k, other in reversed(list(enumerate(others))):
            np.multiply(gradient, self.scratch(f"is larger {name} {k}", first.shape, np.bool_), out=other)
            np.subtract(gradient, other, out=gradient if k else first)
        if not others:
            first[...] = gradient


@dataclass
class AvgPool2d(_Pool2d):
    """Average pooling: y is the mean of each window."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        rows = self._sum("rows", self._rows(x))
        y = self._sum("columns", self._columns(rows))
        y *= 1 / self.size**2
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy / size², as each value has that weight in the mean."""
        dy *= 1 / self.size**2
        dx = self._gradient_array("dx", self._x_shape)
        for rows in self._rows(dx):
            for window in self._columns(rows):
                window[...] = dy
        return dx

    def _sum(self, name: str, parts: list[Floats]) -> Floats:
        total = self.scratch(f"sum of {name}", parts[0].shape)
        total[...] = parts[0]
        for part in parts[1:]:
            total += part
        return total
