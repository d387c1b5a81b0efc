"""From a candidate to a network: the layers that a convention asks for, with the numbers of its structure."""

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
"""To see that the numbers of a network stay finite."""


def build_network(candidate: Candidate, beside: Sequence[StoredScaler], yardstick: ProbeSet) -> Network:
    """The network that a candidate describes, with its parameters.

    Raises
    ------
    ValueError
        If it cannot be, or would compute more than one may.
    """
    way, convention = candidate.structure, candidate.convention
    first, factor, offset = input_layers(convention.scaling, beside, StoredScaler(yardstick.mean, yardstick.std))
    layers: list[tuple[Layer, dict[str, Any]]] = [(layer, {}) for layer in first]

    def add(layer: Layer, **parameters: Any) -> None:
        layers.append((layer, parameters))

    names = convention.activation.split(", ")
    hidden = iter(names * way.n_hidden if len(names) == 1 else names)

    def follow(norm: NormStructure | None, *, last: bool = False) -> None:
        activation = None if last else ACTIVATIONS[next(hidden)][0]
        if norm is not None and not way.norm_last:
            add(BatchNorm(), **vars(norm))
        if activation is not None:
            add(activation())
        if norm is not None and way.norm_last:
            add(BatchNorm(), **vars(norm))

    if way.convs:
        if np.size(factor) > 1 or np.size(offset) > 1:
            raise ValueError("pixels scaled each by itself before a convolution")
        add(AddChannel())
    for conv in way.convs:
        weight = conv.weight.swapaxes(0, 1) if convention.transposed else conv.weight
        add(Conv2d(weight.shape[3], len(weight), conv.padding), weight=weight, bias=conv.bias)
        follow(conv.norm)
        if conv.pool > 1:
            add((AvgPool2d if way.average_pool else MaxPool2d)(conv.pool))
    add(Flatten())
    for place, dense in enumerate(way.denses):
        weight, bias = dense.weight, dense.bias
        if place == 0:
            if convention.transposed:
                weight = _transposed(way, weight)
            if not way.convs:  # what each pixel is scaled by goes into the weights that it meets
                bias = bias + (offset * np.ones(len(weight))) @ weight
                weight = weight * (factor * np.ones(len(weight)))[:, None]
        if place == len(way.denses) - 1 and candidate.shifted:
            weight, bias = np.roll(weight, 1, axis=1), np.roll(bias, 1)
        add(Linear(weight.shape[1]), weight=weight, bias=bias)
        follow(dense.norm, last=place == len(way.denses) - 1)
    network = Network([layer for layer, _ in layers], max_parameters=MAX_PARAMETERS)
    if network.plan.n_activations > MAX_ACTIVATIONS:
        raise ValueError(f"it computes more than {MAX_ACTIVATIONS:,} numbers for an image")
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, parameters in layers:
            for name, value in parameters.items():
                layer.parameters[name][...] = value
    return network


def _transposed(way: NetworkStructure, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first matrix for images with rows and columns exchanged."""
    channels = way.convs[-1].weight.shape[3] if way.convs else 1
    side = math.isqrt(len(weight) // channels)
    return weight.reshape(side, side, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)
