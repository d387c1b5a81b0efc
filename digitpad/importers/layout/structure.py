"""Possible structures of an imported network, derived from the shapes of its arrays."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.stated_network import StatedNetwork

Matrix = NDArray[np.float64]

N_PIXELS, SIDE = 784, 28


@dataclass(frozen=True, eq=False)
class NormStructure:
    """A batch normalisation after a layer."""

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


@dataclass(frozen=True)
class ConvGeometry:
    """Zeros around the image, stride, and pooling (1 for none) of a convolution.

    ``pool_step`` is the stride of the pooling, and ``pool_after`` the rows and columns beyond the image that its last
    windows cover.
    """

    before: int = 0
    after: int = 0
    stride: int = 1
    pool: int = 1
    pool_step: int = 1
    pool_after: int = 0

    def __str__(self) -> str:
        padding = str(self.after) if self.before == self.after else f"{self.before}+{self.after}"
        pool = str(self.pool) if self.pool_step == self.pool else f"{self.pool}/{self.pool_step}"
        parts = [f"padding {padding}"] * (self.after > 0) + [f"stride {self.stride}"] * (self.stride > 1)
        return " ".join(parts + [f"pool {pool}"] * (self.pool > 1)) or "plain"


@dataclass(frozen=True, eq=False)
class ConvStructure:
    """A convolution with ``weight`` of shape (kernel, kernel, n_inputs, n_channels)."""

    weight: Matrix
    bias: Matrix
    geometry: ConvGeometry
    norm: NormStructure | None = None


@dataclass(frozen=True, eq=False)
class NetworkStructure:
    """A possible structure of the network in a file.

    Attributes
    ----------
    convs, denses : tuple
        Layers in order.
    orientation : str
        Axes of the matrices: ``out, in``, ``in, out`` or ``mixed``; for convolutions also ``OIHW`` and similar.
    detail : str
        Assumptions that distinguish this structure from others.
    cost : float
        How uncommon the structure is: 0 for common practice.
    average_pool, norm_last : bool
        Whether pooling takes averages, and whether normalisation follows the activation.
    global_pool, last_activated : bool
        Whether the average of each channel follows the last convolution, and an activation the last layer.
    start : str
        What is done to the image before the first convolution, as in `Geometry`.
    geometry : str
        Paddings, strides and pools, which several structures may share.
    stated : StatedNetwork, optional
        All layers, if the file states them; then there are no other ``convs`` and ``denses``.
    """

    convs: tuple[ConvStructure, ...]
    denses: tuple[DenseStructure, ...]
    orientation: str
    detail: str = ""
    cost: float = 0.0
    average_pool: bool = False
    norm_last: bool = False
    global_pool: bool = False
    last_activated: bool = False
    start: str = ""
    geometry: str = ""
    stated: StatedNetwork | None = None

    @property
    def layers(self) -> list[ConvStructure | DenseStructure]:
        """All layers in order."""
        return [*self.convs, *self.denses]

    @property
    def n_hidden(self) -> int:
        """Number of layers followed by an activation."""
        return len(self.convs) + len(self.denses) - (not self.last_activated)

    @property
    def has_biases(self) -> bool:
        """Whether any bias is nonzero, or the file states which layers have one."""
        return self.stated is not None or any(layer.bias.any() for layer in self.layers)

    def same_parameters(self, other: "NetworkStructure") -> bool:
        """Return whether another structure has layers with the same weights and biases."""
        return len(self.layers) == len(other.layers) and all(
            np.array_equal(layer.weight, twin.weight) and np.array_equal(layer.bias, twin.bias)
            for layer, twin in zip(self.layers, other.layers, strict=True)
        )

    @property
    def sizes(self) -> str:
        """Short description, such as ``784-128-10``."""
        if self.stated is not None:
            return self.stated.sizes
        begin = "28×28" if self.convs else str(len(self.denses[0].weight))
        convs = [
            f"{conv.weight.shape[0]}×{conv.weight.shape[0]}×{conv.weight.shape[3]}{'-pool' * (conv.geometry.pool > 1)}"
            for conv in self.convs
        ]
        middle = ["global avgpool"] * self.global_pool
        return "-".join([begin, *convs, *middle, *(str(dense.weight.shape[1]) for dense in self.denses)])

    def variant(self, detail: str, cost: float = 0.0, **changes: Any) -> "NetworkStructure":
        """Return a copy with changes, with ``detail`` appended to its details and ``cost`` added to its cost."""
        details = "; ".join(filter(None, [self.detail, detail]))
        return replace(self, detail=details, cost=self.cost + cost, **changes)


def with_norm_variants(structure: NetworkStructure) -> list[NetworkStructure]:
    """Return the structure and, if layers are normalised, a variant with normalisation after the activations."""
    if not any(layer.norm for layer in structure.layers):
        return [structure]
    return [structure, structure.variant("normalised after the activation", 0.5, norm_last=True)]
