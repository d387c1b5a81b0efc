"""Conventions of imported weights, and the probe set that scores them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.importers.layout.structure import NetworkStructure


@dataclass(frozen=True)
class ProbeSet:
    """Images to score on, with the mean and standard deviation of each training pixel for per-pixel scaling.

    Without images, nothing is scored, and the most common convention is chosen.

    Attributes
    ----------
    images : uint8 ndarray of shape (n, 28, 28)
    labels : uint8 ndarray of shape (n,)
    mean, std : ndarray of shape (784,)
    class_names : tuple of str
    data : str
        Name of the dataset, or empty for the built-in one.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    class_names: tuple[str, ...] = DIGITS
    data: str = ""

    @property
    def scores(self) -> bool:
        """Whether there are images to score on."""
        return len(self.labels) > 0

    @property
    def description(self) -> str:
        """Description of the images, such as ``1,000 validation digits``."""
        return f"{len(self.labels):,} validation {f'images of {self.data}' if self.data else 'digits'}"


@dataclass(frozen=True)
class Convention:
    """Settings that turn the numbers of a file into a network.

    Attributes
    ----------
    activation : str
        Key of `ACTIVATIONS`, or a key for each hidden layer, separated by commas.
    scaling : str
        Name of the pixel scaling.
    orientation : str
        Order of the axes of the matrices in the file.
    transposed : bool
        Whether the network expects images with rows and columns exchanged.
    detail : str
        Other assumptions.
    """

    activation: str
    scaling: str
    orientation: str
    transposed: bool = False
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a dict that fits JSON."""
        return {
            "activation": self.activation,
            "scaling": self.scaling,
            "orientation": self.orientation,
            "transposed": self.transposed,
            **({"detail": self.detail} if self.detail else {}),
        }


@dataclass(frozen=True, eq=False)
class Candidate:
    """A convention with its scores and the structure to build a network from.

    Attributes
    ----------
    convention : Convention
    accuracy : float
        Share of correct predictions on the probe set.
    cost : float
        How uncommon the convention is.
    structure : NetworkStructure
    shifted : bool
        Whether the outputs are for 1 to 9, then 0.
    loss : float
        Mean cross-entropy on the probe set.
    """

    convention: Convention
    accuracy: float
    cost: float
    structure: NetworkStructure
    shifted: bool = False
    loss: float = math.inf

    @property
    def rank(self) -> tuple[float, float]:
        """Sort key: the highest accuracy first, and the more common first among equals."""
        return -self.accuracy, self.cost
