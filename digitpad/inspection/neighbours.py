"""Nearest neighbours of an image in a dataset, by pixels or by the last hidden layer of a network.

Both searches are generators that process the dataset in chunks and can be stopped between them.
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
"""Maximum number of stored activations, of four bytes each. With wider layers, fewer digits are searched."""

_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Nearest:
    """Nearest digits, the nearest first.

    Attributes
    ----------
    places : ndarray of shape (n,)
        Indices into the dataset.
    distances : ndarray of shape (n,)
        Euclidean distances.
    n_searched : int
        Number of digits that were searched.
    """

    places: Ints
    distances: Floats
    n_searched: int


def nearest_by_pixels(image: NDArray[np.uint8], images: NDArray[np.uint8], n: int) -> Generator[None, None, Nearest]:
    """Find the ``n`` nearest of ``images``, of shape (n_images, 28, 28), by Euclidean distance of pixels / 255."""
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
    """Stored activations of a network's last hidden layer for the digits of a dataset.

    For a network without hidden layers, the scaled pixels are used instead.

    Parameters
    ----------
    weights : Weights
    images : ndarray of uint8, shape (n_images, 28, 28)
    max_numbers : int
        Maximum number of stored activations; see `MAX_NUMBERS`.
    """

    def __init__(self, weights: Weights, images: NDArray[np.uint8], max_numbers: int = MAX_NUMBERS) -> None:
        tracer = Tracer(weights)
        self._network = tracer.network
        self._layers = self._network.layers[: tracer.blocks[-1].begin]
        self._images = images
        n_units = len(self._features(images[:1])[0])
        self.n_images = min(len(images), max(1, max_numbers // n_units))
        self._points = np.empty((self.n_images, n_units), np.float32)
        self.n_read = 0

    def read_on(self) -> Generator[None, None, None]:
        """Compute the activations of the remaining digits, and yield after each chunk."""
        while self.n_read < self.n_images:
            part = self._images[self.n_read : min(self.n_read + self._network.chunk, self.n_images)]
            self._points[self.n_read : self.n_read + len(part)] = self._features(part)
            self.n_read += len(part)
            yield

    def nearest(self, image: NDArray[np.uint8], n: int) -> Nearest:
        """Return the ``n`` nearest of the digits processed so far."""
        point = self._features(image[None])[0].copy()
        squares = np.empty(self.n_read, np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for begin in range(0, self.n_read, _CHUNK):
                differences = self._points[begin : min(begin + _CHUNK, self.n_read)] - point
                squares[begin : begin + len(differences)] = np.einsum("ij,ij->i", differences, differences)
        return _nearest(squares, n)

    def _features(self, images: NDArray[np.uint8]) -> Floats:
        x: NDArray[Any] = images
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in self._layers:
                x = layer.forward(x, training=False)
        return x


def _nearest(squares: Floats, n: int) -> Nearest:
    n = min(n, len(squares))
    if not n:
        return Nearest(np.empty(0, np.intp), np.empty(0, np.float32), 0)
    candidates = np.argpartition(squares, n - 1)[:n]
    places = candidates[np.lexsort((candidates, squares[candidates]))]
    return Nearest(places, np.sqrt(squares[places]), len(squares))
