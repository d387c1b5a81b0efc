"""How somebody else's weights may be meant, and what such a convention is judged by."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import DIGITS
from digitpad.importers.layout.structure import NetworkStructure


@dataclass(frozen=True)
class ProbeSet:
    """Images to score by, and each pixel's mean and spread over the training set, as its own per-pixel scaling.

    ``images`` of shape (n, 28, 28), ``labels`` (n,), both uint8; ``mean`` and ``std`` of shape (784,). Without images,
    nothing is scored, and the most usual convention is taken. ``data`` is what they are of, where it is not the
    built-in set.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    class_names: tuple[str, ...] = DIGITS
    data: str = ""

    @property
    def scores(self) -> bool:
        """Whether there is something to score by."""
        return len(self.labels) > 0

    @property
    def said(self) -> str:
        """What is read, as in ``1,000 validation digits``."""
        return f"{len(self.labels):,} validation {f'images of {self.data}' if self.data else 'digits'}"


@dataclass(frozen=True)
class Convention:
    """How weights are meant.

    Attributes
    ----------
    activation : str
        A key of `ACTIVATIONS`, or one for each hidden layer, apart by commas.
    scaling : str
    orientation : str
        Of the matrices in the file.
    transposed : bool
        Whether the network wants images with rows and columns exchanged.
    detail : str
        What else was assumed.
    """

    activation: str
    scaling: str
    orientation: str
    transposed: bool = False
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Fit for JSON."""
        return {
            "activation": self.activation,
            "scaling": self.scaling,
            "orientation": self.orientation,
            "transposed": self.transposed,
            **({"detail": self.detail} if self.detail else {}),
        }


@dataclass(frozen=True, eq=False)
class Candidate:
    """A convention, what it reads of the digits, and what it takes to make weights of it.

    ``cost`` is how unusual it is, ``loss`` the mean cross-entropy of what is read.
    """

    convention: Convention
    accuracy: float
    cost: float
    structure: NetworkStructure
    shifted: bool = False
    loss: float = math.inf

    @property
    def rank(self) -> tuple[float, float]:
        """What sorts the best to the front, and of those alike the more usual."""
        return -self.accuracy, self.cost
