"""Feature map: principal component analysis of the activations in a network's last hidden layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """First two principal components of features.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        Coordinates of each digit.
    middle : ndarray of shape (n_units,)
        Mean of all features, which maps to (0, 0).
    axes : ndarray of shape (2, n_units)
        Unit vectors along the two axes.
    explained : tuple of float
        Share of the total variance along each axis.
    """

    points: Doubles
    middle: Doubles
    axes: Doubles
    explained: tuple[float, float]

    def place(self, features: Floats) -> Doubles:
        """Return the coordinates, of shape (n, 2), of other digits with features of shape (n, n_units)."""
        return (features - self.middle) @ self.axes.T


def feature_map(features: Floats) -> FeatureMap:
    """Project features of shape (n, n_units) onto the two directions with the largest variance (Pearson, 1901).

    The directions are eigenvectors of the covariance matrix XᵀX / n of the centred features X. With fewer digits than
    units, they are Xᵀu for the eigenvectors u of XXᵀ, which has the same nonzero eigenvalues. The sign of each
    direction is chosen to make its largest component positive, so that the map is reproducible.
    """
    middle = features.mean(axis=0, dtype=np.float64)
    centred: NDArray[Any] = features - middle
    n, n_units = centred.shape
    if n_units <= n:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        axes = _largest(vectors)
    else:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        axes = _largest(vectors) @ centred
    lengths = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.divide(axes, lengths, out=np.zeros_like(axes), where=lengths > 0)
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    axes *= np.where(signs == 0, 1, signs)[:, None]
    total = float(np.square(centred).sum())
    shares = [max(0.0, float(value)) / total if total else 0.0 for value in [*values[::-1], 0.0][:2]]
    return FeatureMap(centred @ axes.T, middle, axes, (shares[0], shares[1]))


def _largest(vectors: Doubles) -> Doubles:
    """Return the eigenvectors of the two largest eigenvalues as rows; in one dimension, the second row is 0."""
    rows = vectors.T[::-1][:2]
    return np.concatenate([rows, np.zeros((2 - len(rows), rows.shape[1]))])
