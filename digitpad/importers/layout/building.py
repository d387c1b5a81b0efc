"""Construction of a network from a candidate: the layers of its convention, with the parameters of its structure."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.inference.conventions import Candidate, ProbeSet
from digitpad.importers.inference.scalings import StoredScaler, input_layers
from digitpad.importers.layout.structure import NetworkStructure, NormStructure
from digitpad.nn.layers import AddChannel, AvgPool2d, BatchNorm, Conv2d, Flatten, Layer, Linear, MaxPool2d
from digitpad.nn.network import Network
from digitpad.weights.activation_names import ACTIVATIONS
from digitpad.weights.native_format import MAX_ACTIVATIONS, MAX_PARAMETERS

SOME_IMAGES = np.repeat(np.array([0, 64, 255], np.uint8), 784).reshape(3, 28, 28)
"""Images to check that the outputs of a network are finite, of shape (3, 28, 28)."""


def build_network(candidate: Candidate, stored_scalers: Sequence[StoredScaler], probe_set: ProbeSet) -> Network:
    """Build the network that a candidate describes, with its parameters.

    Raises
    ------
    ValueError
        If the network is impossible or too large.
    """
    structure, convention = candidate.structure, candidate.convention
    first, factor, offset = input_layers(
        convention.scaling, stored_scalers, StoredScaler(probe_set.mean, probe_set.std)
    )
    layers: list[tuple[Layer, dict[str, Any]]] = [(layer, {}) for layer in first]

    def add(layer: Layer, **parameters: Any) -> None:
        layers.append((layer, parameters))

    activations = convention.activation.split(", ")
    hidden = iter(activations * structure.n_hidden if len(activations) == 1 else activations)

    def follow(norm: NormStructure | None, *, last: bool = False) -> None:
        activation = None if last else ACTIVATIONS[next(hidden)][0]
        if norm is not None and not structure.norm_last:
            add(BatchNorm(), **vars(norm))
        if activation is not None:
            add(activation())
        if norm is not None and structure.norm_last:
            add(BatchNorm(), **vars(norm))

    if structure.convs:
        if np.size(factor) > 1 or np.size(offset) > 1:
            raise ValueError("convolutions cannot follow a per-pixel scaling")
        add(AddChannel())
    for conv in structure.convs:
        weight = conv.weight.swapaxes(0, 1) if convention.transposed else conv.weight
        add(Conv2d(weight.shape[3], len(weight), conv.padding), weight=weight, bias=conv.bias)
        follow(conv.norm)
        if conv.pool > 1:
            add((AvgPool2d if structure.average_pool else MaxPool2d)(conv.pool))
    add(Flatten())
    for place, dense in enumerate(structure.denses):
        weight, bias = dense.weight, dense.bias
        if place == 0:
            if convention.transposed:
                weight = _transposed(structure, weight)
            if not structure.convs:  # fold the factor and offset of each pixel into the first weights
                bias = bias + (offset * np.ones(len(weight))) @ weight
                weight = weight * (factor * np.ones(len(weight)))[:, None]
        if place == len(structure.denses) - 1 and candidate.shifted:
            weight, bias = np.roll(weight, 1, axis=1), np.roll(bias, 1)
        add(Linear(weight.shape[1]), weight=weight, bias=bias)
        follow(dense.norm, last=place == len(structure.denses) - 1)
    network = Network([layer for layer, _ in layers], max_parameters=MAX_PARAMETERS)
    if network.plan.n_activations > MAX_ACTIVATIONS:
        raise ValueError(f"it computes more than {MAX_ACTIVATIONS:,} numbers per image")
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, parameters in layers:
            for name, value in parameters.items():
                layer.parameters[name][...] = value
    return network


def _transposed(structure: NetworkStructure, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first matrix, rearranged for images with rows and columns exchanged."""
    channels = structure.convs[-1].weight.shape[3] if structure.convs else 1
    side = math.isqrt(len(weight) // channels)
    return weight.reshape(side, side, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)
