"""Pooling: each square window of an image becomes one number, which makes the network robust to small shifts."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.layers.base import Layer, added_later, check_sizes, images_only

MAX_WINDOW = 28


@dataclass
class _Pool2d(Layer):
    """Base class of pooling over windows of ``size`` × ``size``, which start every ``stride`` rows and columns.

    A stride of 0 is that of adjacent windows: ``size``. Windows may also cover ``before`` rows and columns outside of
    the image at the top and at the left, and ``after`` at the bottom and at the right; nothing is there to pool. Rows
    and columns that do not fill a window are ignored.
    """

    size: int = 2
    stride: int = added_later(0)
    before: int = added_later(0)
    after: int = added_later(0)

    def __post_init__(self) -> None:
        check_sizes(self, size=(1, MAX_WINDOW), stride=(0, MAX_WINDOW))
        check_sizes(self, before=(0, self.size - 1), after=(0, self.size - 1))

    def output_shape(self, input_shape: Shape) -> Shape:
        height, width, channels = images_only(self, input_shape)
        extra = self.before + self.after
        if self.size > min(height, width) + extra:
            raise ValueError(
                f"a {self.size} × {self.size} pooling window does not fit into an image of {height} × {width}"
            )
        return (*((side + extra - self.size) // self.step + 1 for side in (height, width)), channels)

    def n_held(self, input_shape: Shape) -> int:
        padded = 0 if self._is_adjacent else math.prod(input_shape) + MAX_WINDOW * sum(input_shape)
        return super().n_held(input_shape) + padded

    @property
    def step(self) -> int:
        """Rows and columns between the beginnings of two windows."""
        return self.stride or self.size

    @property
    def _is_adjacent(self) -> bool:
        """Whether the windows are those of the fast computation: side by side, within the image."""
        return self.step == self.size and not self.before and not self.after

    def _pad(self, x: Floats, value: float) -> Floats:
        """Return the images with ``before`` and ``after`` rows and columns of a value around them."""
        padded = self._padded_zeros(x.shape)
        if value:
            padded.fill(value)
        self._unpad(padded, x.shape)[...] = x
        return padded

    def _padded_zeros(self, shape: Shape) -> Floats:
        height, n, width, channels = shape
        extra = self.before + self.after
        padded = self.scratch("padded", (height + extra, n, width + extra, channels))
        padded.fill(0)
        return padded

    def _unpad(self, dx: Floats, shape: Shape) -> Floats:
        return dx[self.before : self.before + shape[0], :, self.before : self.before + shape[2]]

    def _in_windows(self, padded: Floats, y_shape: Shape) -> list[Floats]:
        """Return views of the first, second, ... element of all windows of padded images."""
        rows, _, columns, _ = y_shape
        row_end, column_end = (rows - 1) * self.step + 1, (columns - 1) * self.step + 1
        return [
            padded[k : k + row_end : self.step, :, j : j + column_end : self.step]
            for k in range(self.size)
            for j in range(self.size)
        ]

    def _batch_shape(self, x: Floats) -> Shape:
        rows, columns, channels = self.output_shape((x.shape[0], *x.shape[2:]))
        return (rows, x.shape[1], columns, channels)

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
        if not self._is_adjacent:
            return self._forward_overlapping(x)
        rows = self._maximum("rows", self._rows(x))
        return self._maximum("columns", self._columns(rows))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, which is dy where x was the maximum of its window, and 0 elsewhere.

        If windows overlap, dx is the sum over all windows.
        """
        if not self._is_adjacent:
            return self._overlapping_gradient(dy)
        height, n, _, channels = dy.shape
        rows = self._gradient_array("drows", (height * self.size, n, self._x_shape[2], channels))[:height]
        dx = self._gradient_array("dx", self._x_shape)
        self._route_gradient("columns", dy, self._columns(rows))
        self._route_gradient("rows", rows, self._rows(dx))
        return dx

    def _forward_overlapping(self, x: Floats) -> Floats:
        y_shape = self._batch_shape(x)
        padded = self._pad(x, -np.inf)
        y, self._winners = self.scratch("y", y_shape), self.scratch("winners", y_shape, np.int16)
        self._winners.fill(0)
        for k, part in enumerate(self._in_windows(padded, y_shape)):
            if k == 0:
                y[...] = part
                continue
            larger = np.greater(part, y, out=self.scratch("larger", y_shape, np.bool_))
            np.copyto(y, part, where=larger)
            np.copyto(self._winners, k, where=larger)
        return y

    def _overlapping_gradient(self, dy: Floats) -> Floats:
        dx = self._padded_zeros(self._x_shape)
        for k, part in enumerate(self._in_windows(dx, dy.shape)):
            part += dy * (self._winners == k)
        return self._unpad(dx, self._x_shape)

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
    """Average pooling: y is the mean of each window, of the part of it that is in the image."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        if not self._is_adjacent:
            return self._forward_overlapping(x)
        rows = self._sum("rows", self._rows(x))
        y = self._sum("columns", self._columns(rows))
        y *= 1 / self.size**2
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy / size², as each value has that weight in the mean; if windows overlap, their sum."""
        if not self._is_adjacent:
            dx = self._padded_zeros(self._x_shape)
            shares = dy * self._inverse_counts(dy.shape)
            for part in self._in_windows(dx, dy.shape):
                part += shares
            return self._unpad(dx, self._x_shape)
        dy *= 1 / self.size**2
        dx = self._gradient_array("dx", self._x_shape)
        for rows in self._rows(dx):
            for window in self._columns(rows):
                window[...] = dy
        return dx

    def _forward_overlapping(self, x: Floats) -> Floats:
        y_shape = self._batch_shape(x)
        y = self.scratch("y", y_shape)
        y.fill(0)
        for part in self._in_windows(self._pad(x, 0), y_shape):
            y += part
        y *= self._inverse_counts(y_shape)
        return y

    def _inverse_counts(self, y_shape: Shape) -> Floats:
        """Return one by the number of elements of each window that are in the image, of shape (rows, 1, columns, 1)."""

        def counts(n: int, side: int) -> NDArray[np.intp]:
            begins = np.arange(n) * self.step - self.before
            return np.minimum(begins + self.size, side) - np.maximum(begins, 0)

        rows, columns = counts(y_shape[0], self._x_shape[0]), counts(y_shape[2], self._x_shape[2])
        inverse: Floats = 1 / (rows[:, None, None, None] * columns[:, None])
        return inverse

    def _sum(self, name: str, parts: list[Floats]) -> Floats:
        total = self.scratch(f"sum of {name}", parts[0].shape)
        total[...] = parts[0]
        for part in parts[1:]:
            total += part
        return total


@dataclass
class _GlobalPool2d(Layer):
    """Base class of pooling over the whole image: one number per channel remains."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return images_only(self, input_shape)[2:]


@dataclass
class GlobalAvgPool2d(_GlobalPool2d):
    """Global average pooling: y is the mean of each channel over the whole image (Lin et al., 2014)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        return np.mean(x, axis=(0, 2), out=self.scratch("y", (x.shape[1], x.shape[3])))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy / (height · width), as each value has that weight in the mean."""
        dx = self.scratch("dx", self._x_shape)
        dx[...] = dy[:, None] / (self._x_shape[0] * self._x_shape[2])
        return dx


@dataclass
class GlobalMaxPool2d(_GlobalPool2d):
    """Global max pooling: y is the maximum of each channel over the whole image."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        height, n, width, channels = x.shape
        columns = x.transpose(1, 3, 0, 2).reshape(n, channels, height * width)
        self._winners = columns.argmax(axis=2)
        return np.max(columns, axis=2, out=self.scratch("y", (n, channels)))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, which is dy where x was the first maximum of its channel, and 0 elsewhere."""
        _, n, width, channels = self._x_shape
        dx = self.scratch("dx", self._x_shape)
        dx.fill(0)
        rows, columns = np.divmod(self._winners, width)
        dx[rows, np.arange(n)[:, None], columns, np.arange(channels)] = dy
        return dx
