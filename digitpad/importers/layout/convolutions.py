"""Structures with convolutions: the order of kernels, and the paddings and pools that fit a chain of matrices."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.importers.layout.bias_pairing import pair_biases
from digitpad.importers.layout.dense import dense_layers
from digitpad.importers.layout.layer_matching import BrokenChain, find_chain, orientation, with_square
from digitpad.importers.layout.structure import SIDE, ConvStructure, Matrix, NetworkStructure, with_norm_variants
from digitpad.importers.layout.tensor_names import NamedArray

_MAX_GEOMETRIES = 50_000
_MAX_TRIED_GEOMETRIES = 20
_MAX_TRIED_OUTPUTS = 4

_LAYOUTS = {"OIHW": (2, 3, 1, 0), "OHWI": (1, 2, 3, 0), "HWIO": (0, 1, 2, 3), "IOHW": (2, 3, 0, 1)}


def convolutional(
    ones: list[NamedArray], matrices: list[NamedArray], kernels: list[NamedArray], n_classes: int
) -> list[NetworkStructure]:
    """Return the possible structures of kernels and matrices, in the first kernel layout that fits."""
    structures: list[NetworkStructure] = []
    for layout, axes in _LAYOUTS.items():
        weights = [
            np.asarray(kernel.array if kernel.array.ndim == 4 else kernel.array[:, None], np.float64).transpose(axes)
            if kernel.array.ndim == 4 or layout == "OIHW"
            else None
            for kernel in kernels
        ]
        chained = _chain_kernels([weight for weight in weights if weight is not None])
        if chained is None or len(chained[0]) < len(kernels):
            continue
        order, sorted_weights = chained
        structures += _with_geometry(ones, matrices, [kernels[i] for i in order], sorted_weights, layout, n_classes)
        if structures:
            break
    return structures


def _chain_kernels(weights: list[Matrix]) -> tuple[list[int], list[Matrix]] | None:
    """Order the kernels so that each takes the output channels of the previous kernel.

    Return their indices and the kernels in that order, or None if there is no such order.
    """
    channels, order = 1, []
    remaining = list(range(len(weights)))
    while remaining:
        candidates = [
            i
            for i in remaining
            if weights[i].shape[2] == channels and weights[i].shape[0] == weights[i].shape[1] <= SIDE
        ]
        if not candidates:
            return None
        order.append(candidates[0])
        remaining.remove(candidates[0])
        channels = weights[candidates[0]].shape[3]
    return order, [weights[i] for i in order]


def broken_images(matrices: list[NamedArray], kernels: list[NamedArray], n_classes: int) -> BrokenChain:
    """Return why convolutions and matrices do not fit; possibly, only the number of outputs differs."""
    sizes = [
        size for matrix in matrices for size in matrix.array.shape if 2 <= size <= MAX_CLASSES and size != n_classes
    ]
    for n in [size for size in sizes if sizes.count(size) == 1][-_MAX_TRIED_OUTPUTS:]:
        if convolutional([*kernels, *matrices], matrices, kernels, n):
            last = next(matrix for matrix in reversed(matrices) if n in matrix.array.shape)
            return BrokenChain.by_outputs(n, last, n_classes)
    listed = ", ".join(map(str, kernels[:4]))
    return BrokenChain(
        f"has convolutions ({listed}), but no padding and pooling was found with which they fit its matrices"
    )


def _with_geometry(
    ones: list[NamedArray],
    matrices: list[NamedArray],
    kernels: list[NamedArray],
    weights: list[Matrix],
    layout: str,
    n_classes: int,
) -> list[NetworkStructure]:
    """Return a structure for every padding and pooling whose output fits the first matrix."""
    channels = weights[-1].shape[3]
    input_sizes = {size - extra for matrix in matrices for size in matrix.array.shape for extra in (0, 1)}
    biases = pair_biases(ones, kernels, [weight.shape[3] for weight in weights])
    structures: list[NetworkStructure] = []
    geometries = _geometries([len(weight) for weight in weights])
    ends = {side * side * channels for _, side, _ in geometries} & input_sizes
    chains = {n: find_chain(matrices, n, n_classes)[0] for n in ends}

    def unlikelihood(geometry: tuple[float, int, Any]) -> float:
        """Return how uncommon a geometry is; an unused matrix costs more than any padding."""
        links = chains.get(geometry[1] ** 2 * channels)
        return math.inf if links is None else geometry[0] + 5.0 * (len(matrices) - len(links))

    for cost, side, steps in sorted(geometries, key=unlikelihood)[:_MAX_TRIED_GEOMETRIES]:
        n = side * side * channels
        links = chains.get(n)
        if links is None:
            break
        convs = tuple(
            ConvStructure(weight, bias, padding, pool, norm)
            for weight, (bias, norm), (padding, pool) in zip(weights, biases, steps, strict=True)
        )
        geometry = ", ".join((f"padding {p}" * (p > 0) + f" pool {q}" * (q > 1)).strip() or "plain" for p, q in steps)
        denses = dense_layers(ones, [with_square(link, links, False) for link in links], False)
        by_pixel = denses[0].weight.reshape(channels, side, side, -1).transpose(1, 2, 0, 3).reshape(n, -1)
        for by_channel in (True, False):
            first = replace(denses[0], weight=by_pixel) if by_channel else denses[0]
            for average in (False, True) if any(pool > 1 for _, pool in steps) else (False,):
                is_common = by_channel == (layout in ("OIHW", "IOHW"))
                detail = [geometry, "flattened by channel" if by_channel else "flattened by pixel"]
                detail += ["average pooling"] * average
                structure = NetworkStructure(
                    convs,
                    (first, *denses[1:]),
                    f"{layout}; {orientation(links)}",
                    "; ".join(detail),
                    cost + 0.4 * (not is_common and side > 1) + 0.5 * average,
                    average_pool=average,
                    geometry=geometry,
                )
                if side > 1 or by_channel:
                    structures += with_norm_variants(structure)
    return structures


def _geometries(kernels: Sequence[int]) -> list[tuple[float, int, tuple[tuple[int, int], ...]]]:
    """Return all possible geometries as (cost, side of the last image, (padding, pool) of each convolution)."""
    states: list[tuple[float, int, tuple[tuple[int, int], ...]]] = [(0.0, SIDE, ())]
    for place, kernel in enumerate(kernels):
        is_last = place == len(kernels) - 1
        paddings = sorted({0, (kernel - 1) // 2} | ({2} if kernel == 3 and len(kernels) > 3 else set()))
        states = [
            (cost + _geometry_cost(steps, kernel, padding, pool), out // pool, (*steps, (padding, pool)))
            for cost, side, steps in states
            for padding in paddings
            if (out := side + 2 * padding - kernel + 1) >= 1
            for pool in {1, 2, *((3, 4) if len(kernels) <= 4 else ()), *((out,) if is_last else ())}
            if out >= pool
        ][:_MAX_GEOMETRIES]
    return states


def _geometry_cost(steps: tuple[tuple[int, int], ...], kernel: int, padding: int, pool: int) -> float:
    cost = {1: 0.3, 2: 0.0, 3: 1.0, 4: 1.2}.get(pool, 1.0)  # any other size pools over the whole image
    same = (kernel - 1) // 2
    if padding not in (0, same):
        cost += 1.0
    if steps and (steps[-1][0] > 0) != (padding > 0):
        cost += 0.2
    return cost
