"""Snapshots of a training run for display: small images that are safe to pass to another thread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.network import Network

N_PICTURES = 24


@dataclass(frozen=True, eq=False)
class TrainingSnapshot:
    """Weights and batch at one step.

    Attributes
    ----------
    weights : ndarray of uint8, shape (n, height, width)
        First layer's weights to each of its first units: 128 is 0; 1 and 255 are minus and plus the unit's largest.
    batch : ndarray of uint8, shape (n, 28, 28)
        First images of a batch, after augmentation.
    """

    weights: NDArray[np.uint8]
    batch: NDArray[np.uint8]


def weight_pictures(network: Network, n: int = N_PICTURES) -> NDArray[np.uint8]:
    """Return the first layer's weights as images, one for each of its first ``n`` units.

    An image has the network's input shape for a dense layer, and the kernel's shape, averaged over input channels,
    for a convolution. See `TrainingSnapshot.weights`.
    """
    first = next(layer for layer in network.layers if layer.weights)
    weight = first.parameters["weight"]
    if weight.ndim == 2:
        pictures = weight[:, :n].T.reshape(-1, *network.input_shape)
    else:
        pictures = weight.mean(axis=2)[..., :n].transpose(2, 0, 1)
    largest = np.abs(pictures).max(axis=(1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(128 + 127 * pictures / np.maximum(largest, 1e-12), nan=128).astype(np.uint8)
