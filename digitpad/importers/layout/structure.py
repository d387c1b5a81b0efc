"""What a network of somebody else's is made of, as far as its file's shapes tell: one way of several that may be."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

N_PIXELS, SIDE = 784, 28


@dataclass(frozen=True, eq=False)
class NormStructure:
    """A batch normalisation behind a layer."""

    scale: Matrix
    shift: Matrix
    mean: Matrix
    variance: Matrix


@dataclass(frozen=True, eq=False)
class DenseStructure:
    """A fully connected layer: ``weight`` of shape (n_inputs, n_units)."""

    weight: Matrix
    bias: Matrix
    norm: NormStructure | None = None


@dataclass(frozen=True, eq=False)
class ConvStructure:
    """A convolution, ``weight`` of shape (kernel, kernel, n_inputs, n_channels), and its pooling (1: none)."""

    weight: Matrix
    bias: Matrix
    padding: int
    pool: int
    norm: NormStructure | None = None


@dataclass(frozen=True, eq=False)
class NetworkStructure:
    """One way in which a file's arrays can be a network.

    Attributes
    ----------
    convs, denses : tuple
        The layers in order.
    orientation : str
        Of the matrices: ``out, in`` or ``in, out``, for convolutions ``OIHW`` and the like.
    detail : str
        What else this way has that others have not.
    cost : float
        How unusual it is: 0 for what most people do.
    average_pool, norm_last : bool
        Whether pools take means; whether normalisation comes behind the activation.
    geometry : str
        Paddings and pools, which several ways may share.
    """

    convs: tuple[ConvStructure, ...]
    denses: tuple[DenseStructure, ...]
    orientation: str
    detail: str = ""
    cost: float = 0.0
    average_pool: bool = False
    norm_last: bool = False
    geometry: str = ""

    @property
    def layers(self) -> list[ConvStructure | DenseStructure]:
        """All of them in order."""
        return [*self.convs, *self.denses]

    @property
    def n_hidden(self) -> int:
        """How many layers an activation follows."""
        return len(self.convs) + len(self.denses) - 1

    @property
    def has_biases(self) -> bool:
        """Whether there is any."""
        return any(layer.bias.any() for layer in self.layers)

    @property
    def sizes(self) -> str:
        """The network in short, as in ``784-128-10``."""
        begin = "28×28" if self.convs else str(len(self.denses[0].weight))
        convs = [
            f"{conv.weight.shape[0]}×{conv.weight.shape[0]}×{conv.weight.shape[3]}{'-pool' * (conv.pool > 1)}"
            for conv in self.convs
        ]
        return "-".join([begin, *convs, *(str(dense.weight.shape[1]) for dense in self.denses)])

    def variant(self, detail: str, cost: float = 0.0, **changes: Any) -> "NetworkStructure":
        """The same but for some changes, which are told, and make it so much more unusual."""
        details = "; ".join(filter(None, [self.detail, detail]))
        return replace(self, detail=details, cost=self.cost + cost, **changes)


def with_norm_variants(structure: NetworkStructure) -> list[NetworkStructure]:
    """The same, and where layers are normalised, also with that behind their activations."""
    if not any(layer.norm for layer in structure.layers):
        return [structure]
    return [structure, structure.variant("normalised behind the activation", 0.5, norm_last=True)]
