"""The digits of a data set that are nearest to an image: by their pixels, and by a network's last hidden layer.

Both are told in pieces, by generators that can be left between two of them.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.inspection.trace import Tracer
from digitpad.nn.arrays import Floats, Ints
from digitpad.weights.native_format import Weights

MAX_NUMBERS = 16_000_000
"""What is kept of the last hidden layer, in numbers of four bytes; of a wide one, fewer digits are looked at."""

_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest digits, nearest first.

    Attributes
    ----------
    places : ndarray of shape (n,)
        In the data set.
    distances : ndarray of shape (n,)
    n_searched : int
        Among how many.
    """

    places: Ints
    distances: Floats
    n_searched: int


def nearest_by_pixels(image: NDArray[np.uint8], images: NDArray[np.uint8], n: int) -> Generator[None, None, Nearest]:
    """The ``n`` of ``images``, of shape (n_images, 28, 28), whose pixels are nearest, white being 1."""
    point = image.reshape(-1).astype(np.float32) / 255
    squares = np.empty(len(images), np.float32)
    for begin in range(0, len(images), _CHUNK):
        part = images[begin : begin + _CHUNK].reshape(-1, point.size).astype(np.float32)
        part *= 1 / 255
        part -= point
        squares[begin : begin + _CHUNK] = np.einsum("ij,ij->i", part, part)
        yield
    return _nearest(squares, n)


class FeatureIndex:
    """What a network's last hidden layer says of the digits of a data set, read once and kept.

    Of a network without hidden layers, it is the pixels.

    Parameters
    ----------
    weights : Weights
    images : ndarray of uint8, shape (n_images, 28, 28)
    max_numbers : int
        So many are kept at most; see `MAX_NUMBERS`.
    """

    def __init__(self, weights: Weights, images: NDArray[np.uint8], max_numbers: int = MAX_NUMBERS) -> None:
        tracer = Tracer(weights)
        self._network = tracer.network
        self._layers = self._network.layers[: tracer.blocks[-1].begin]
        self._images = images
        n_units = len(self._says(images[:1])[0])
        self.n_images = min(len(images), max(1, max_numbers // n_units))
        self._points = np.empty((self.n_images, n_units), np.float32)
        self.n_read = 0

    def read_on(self) -> Generator[None, None, None]:
        """Read the digits that were not read yet, with a pause after each chunk."""
        while self.n_read < self.n_images:
            part = self._images[self.n_read : min(self.n_read + self._network.chunk, self.n_images)]
            self._points[self.n_read : self.n_read + len(part)] = self._says(part)
            self.n_read += len(part)
            yield

    def nearest(self, image: NDArray[np.uint8], n: int) -> Nearest:
        """The nearest of those that are read."""
        point = self._says(image[None])[0].copy()
        squares = np.empty(self.n_read, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for begin in range(0, self.n_read, _CHUNK):
                apart = self._points[begin : min(begin + _CHUNK, self.n_read)] - point
                squares[begin : begin + len(apart)] = np.einsum("ij,ij->i", apart, apart)
        return _nearest(squares, n)

    def _says(self, images: NDArray[np.uint8]) -> Floats:
        x: NDArray[Any] = images
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self._layers:
                x = layer.forward(x, training=False)
        return x


def _nearest(squares: Floats, n: int) -> Nearest:
    n = min(n, len(squares))
    if not n:
        return Nearest(np.empty(0, np.intp), np.empty(0, np.float32), 0)
    some = np.argpartition(squares, n - 1)[:n]
    places = some[np.lexsort((some, squares[some]))]
    return Nearest(places, np.sqrt(squares[places]), len(squares))
