"""Construction of a network from a candidate: the layers of its convention, with the parameters of its structure."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.inference.conventions import Candidate, ProbeSet
from digitpad.importers.inference.scalings import StoredScaler, input_layers
from digitpad.importers.layout.enlargement import ENLARGEMENTS, enlarged
from digitpad.importers.layout.geometry import POOL_FIRST
from digitpad.importers.layout.structure import NetworkStructure, NormStructure
from digitpad.nn.layers import (
    AddChannel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Flatten,
    GlobalAvgPool2d,
    Layer,
    Linear,
    MaxPool2d,
    Reshape,
    ZeroPad2d,
)
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

    if structure.stated is not None:
        if structure.stated.start:
            side = structure.stated.side
            layers = [*enlarged(structure.stated.start, first, side), (Reshape([side, side]), {})]
        layers += _stated_layers(candidate, factor, offset)
        return _assembled(layers)

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
        if structure.start in ENLARGEMENTS:
            layers = enlarged(structure.start, first)
        else:
            add(AddChannel())
    pool: type[AvgPool2d] | type[MaxPool2d] = AvgPool2d if structure.average_pool else MaxPool2d
    if structure.start == POOL_FIRST:
        add(pool(2))
    for conv in structure.convs:
        weight = conv.weight.swapaxes(0, 1) if convention.transposed else conv.weight
        geometry = conv.geometry
        before, after = geometry.before, geometry.after
        padding = before if before == after else 0
        if before != after:
            add(ZeroPad2d(before, after, before, after))
        add(Conv2d(weight.shape[3], len(weight), padding, stride=geometry.stride), weight=weight, bias=conv.bias)
        follow(conv.norm, last=conv is structure.convs[-1] and not structure.denses and not structure.last_activated)
        if geometry.pool > 1:
            step = 0 if geometry.pool_step == geometry.pool else geometry.pool_step
            add(pool(geometry.pool, step, 0, geometry.pool_after))
    add(GlobalAvgPool2d() if structure.global_pool else Flatten())
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
    return _assembled(layers)


def _stated_layers(candidate: Candidate, factor: Any, offset: Any) -> list[tuple[Layer, dict[str, Any]]]:
    """Return the layers that a file states, after the factor and the offset of each pixel."""
    stated = candidate.structure.stated
    if stated is not None and candidate.convention.transposed:
        stated = stated.transposed()
    if stated is None:
        raise ValueError("its layers cannot be used for transposed images")
    layers = [(step.layer, dict(step.parameters)) for step in stated.steps]
    if candidate.shifted:
        last, parameters = layers[-1]
        if not isinstance(last, Linear):
            raise ValueError("its outputs cannot be exchanged")
        layers[-1] = last, {name: np.roll(array, 1, axis=-1) for name, array in parameters.items()}
    if np.size(factor) > 1 or np.size(offset) > 1:
        if stated.start:
            raise ValueError("enlarged images cannot follow a per-pixel scaling")
        scale = factor * np.ones(784)
        norm = {"scale": scale, "shift": offset * np.ones(784), "mean": 0 * scale, "variance": 0 * scale + 1}
        layers = [(Flatten(), {}), (BatchNorm(eps=1e-12), norm), (Reshape([28, 28]), {}), *layers]
    return layers


def _assembled(layers: Sequence[tuple[Layer, dict[str, Any]]]) -> Network:
    """Return the network of these layers, with their parameters."""
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
    if structure.global_pool:
        return weight
    channels = structure.convs[-1].weight.shape[3] if structure.convs else 1
    side = math.isqrt(len(weight) // channels)
    return weight.reshape(side, side, channels, -1).transpose(1, 0, 2, 3).reshape(weight.shape)
