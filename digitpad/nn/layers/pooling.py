"""Pooling: each square of an image becomes one number, so that small shifts cease to matter."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer, images_only


@dataclass
class _Pool2d(Layer):
    """Squares of ``size`` × ``size`` that do not overlap; what is left over at the right and below is not seen."""

    size: int = 2

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 1 <= self.size <= 28:
            raise ValueError(f"{type(self).__name__} takes a size of 1 to 28, not {self.size!r}")

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = images_only(self, input_shape)
        if self.size > min(height, width):
            raise ValueError(f"a square of {self.size} does not fit into an image of {height} × {width}")
        return (height // self.size, width // self.size, channels)

    def _rows(self, images: Floats) -> list[Floats]:
        """Views of every first, second, ... row of the squares in (height, n, width, channels)."""
        used = len(images) // self.size * self.size
        return [images[k : used : self.size] for k in range(self.size)]

    def _columns(self, images: Floats) -> list[Floats]:
        """Views of every first, second, ... column of the squares in (height, n, width, channels)."""
        used = images.shape[2] // self.size * self.size
        return [images[:, :, k : used : self.size] for k in range(self.size)]

    def _gradient_array(self, name: str, shape: Shape) -> Floats:
        """Room for a gradient of images, zero where no square reaches."""
        gradient = self.scratch(name, shape)
        if shape[0] % self.size or shape[2] % self.size:
            gradient.fill(0)
        return gradient


@dataclass
class MaxPool2d(_Pool2d):
    """y is the largest number of each square: that a feature was found counts, and not just where.

    Of equals, the first counts as the largest: the gradient has one way to go, also where an image is empty.
    """

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        rows = self._largest("rows", self._rows(x))
        return self._largest("columns", self._columns(rows))

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy where x was its square's largest, else 0."""
        height, n, _, channels = dy.shape
        rows = self._gradient_array("drows", (height * self.size, n, self._x_shape[2], channels))[:height]
        dx = self._gradient_array("dx", self._x_shape)
        self._hand_back("columns", dy, self._columns(rows))
        self._hand_back("rows", rows, self._rows(dx))
        return dx

    def _largest(self, name: str, candidates: list[Floats]) -> Floats:
        """The largest of the candidates, place by place; who overtook whom is kept for `_hand_back`."""
        first, *others = candidates
        largest = self.scratch(f"largest {name}", first.shape)
        if not others:
            largest[...] = first
        for k, other in enumerate(others):
            champion = first if k == 0 else largest
            np.greater(other, champion, out=self.scratch(f"overtook {name} {k}", first.shape, np.bool_))
            np.maximum(champion, other, out=largest)
        return largest

    def _hand_back(self, name: str, gradient: Floats, candidates: list[Floats]) -> None:
        """Give the gradient of the largest to the last that overtook; uses ``gradient`` up."""
        first, *others = candidates
        for k, other in reversed(list(enumerate(others))):
            np.multiply(gradient, self.scratch(f"overtook {name} {k}", first.shape, np.bool_), out=other)
            np.subtract(gradient, other, out=gradient if k else first)
        if not others:
            first[...] = gradient


@dataclass
class AvgPool2d(_Pool2d):
    """y is the mean of each square."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        rows = self._sum("rows", self._rows(x))
        y = self._sum("columns", self._columns(rows))
        y *= 1 / self.size**2
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy / size², for each number had that share in the mean."""
        dy *= 1 / self.size**2
        dx = self._gradient_array("dx", self._x_shape)
        for rows in self._rows(dx):
            for square in self._columns(rows):
                square[...] = dy
        return dx

    def _sum(self, name: str, parts: list[Floats]) -> Floats:
        total = self.scratch(f"sum of {name}", parts[0].shape)
        total[...] = parts[0]
        for part in parts[1:]:
            total += part
        return total
