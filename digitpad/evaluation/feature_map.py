"""A map of digits: what a network's last hidden layer says of each, seen from where it spreads most."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Principal components of features.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        Where each digit lies.
    middle : ndarray of shape (n_units,)
        The mean of all features, which lies at (0, 0).
    axes : ndarray of shape (2, n_units)
        The directions of the map's axes, of length 1.
    explained : tuple of float
        The share of all variance that lies along each.
    """

    points: Doubles
    middle: Doubles
    axes: Doubles
    explained: tuple[float, float]

    def place(self, features: Floats) -> Doubles:
        """Where other digits lie, of shape (n, 2), by their features, of shape (n, n_units)."""
        return (features - self.middle) @ self.axes.T


def feature_map(features: Floats) -> FeatureMap:
    """The two directions in which features, of shape (n, n_units), vary most (Pearson, 1901), and each one's place.

    They are eigenvectors of the covariance XᵀX / n of the centred X, or, where there are fewer digits than units,
    Xᵀu for those u of XXᵀ, which has the same eigenvalues. Of the two signs that each direction could have, it gets
    that which makes its largest number positive, so that a map looks the same each time.
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
    """The eigenvectors of the two largest eigenvalues as rows; of a space of one dimension, the second one is 0."""
    rows = vectors.T[::-1][:2]
    return np.concatenate([rows, np.zeros((2 - len(rows), rows.shape[1]))])
