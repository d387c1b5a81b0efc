"""Structures with convolutions: the order of kernels, and the geometries that fit a chain of matrices."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.importers.layout.bias_pairing import pair_biases
from digitpad.importers.layout.dense import dense_layers
from digitpad.importers.layout.geometry import Geometry, geometries, modules_between
from digitpad.importers.layout.layer_matching import BrokenChain, find_chain, orientation, with_square
from digitpad.importers.layout.structure import (
    SIDE,
    ConvStructure,
    DenseStructure,
    Matrix,
    NetworkStructure,
    with_norm_variants,
)
from digitpad.importers.layout.tensor_names import NamedArray

_MAX_TRIED_GEOMETRIES = 30
_MAX_TRIED_POOLED = 40  # geometries of networks whose shapes fit any geometry, as the average of each channel follows
_MIXED = 0.4  # how uncommon it is in such networks that only some convolutions are padded
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
    """Return the structures of every geometry whose output fits the first matrix."""
    channels = weights[-1].shape[3]
    vectors = [item for item in ones if item.array.size == max(item.array.shape)]
    following = next((item for item in matrices if item.place > kernels[-1].place), None)
    modules = tuple(
        modules_between(one, after, vectors) for one, after in zip(kernels, [*kernels[1:], following], strict=True)
    )
    found = geometries(tuple(len(weight) for weight in weights), modules, torch=layout in ("OIHW", "IOHW"))
    input_sizes = {size - extra for matrix in matrices for size in matrix.array.shape for extra in (0, 1)}
    flat = {item.side**2 * channels for item in found} & input_sizes
    chains = {n: find_chain(matrices, n, n_classes)[0] for n in {*flat, channels}}
    chains[0] = [] if channels == n_classes else None  # the last convolution has an output for each class

    def ends(item: Geometry) -> Iterator[tuple[float, int]]:
        """Yield how uncommon each end of the convolutions is, and the number of inputs of the first matrix."""
        mixed = _MIXED * item.n_changes
        flat = 0.0, item.side**2 * channels
        for cost, n in (flat, *(((0.3 + mixed, channels),) if item.side > 1 else ()), (1.0 + mixed, 0)):
            if (links := chains.get(n)) is not None:  # an unused matrix costs more than any padding
                yield item.cost + cost + 5.0 * (len(matrices) - len(links)), n

    options = [(cost, n, item) for item in found for cost, n in ends(item)]
    options.sort(key=lambda option: option[0])
    biases = pair_biases(ones, kernels, [weight.shape[3] for weight in weights])
    denses_of: dict[int, tuple[DenseStructure, ...]] = {}
    by_pixel: dict[tuple[int, int], DenseStructure] = {}
    structures: list[NetworkStructure] = []
    is_pooled = all(n != item.side**2 * channels for _, n, item in options[:_MAX_TRIED_GEOMETRIES])
    for cost, n, item in options[: _MAX_TRIED_POOLED if is_pooled else _MAX_TRIED_GEOMETRIES]:
        convs = tuple(
            ConvStructure(weight, bias, step, norm)
            for weight, (bias, norm), step in zip(weights, biases, item.steps, strict=True)
        )
        links = chains[n] or []
        if n not in denses_of:
            oriented = [with_square(link, links, False) for link in links]
            denses_of[n] = tuple(dense_layers(ones, oriented, False)) if links else ()
        denses = denses_of[n]
        is_flat = n == item.side**2 * channels
        structure = NetworkStructure(
            convs,
            denses,
            f"{layout}; {orientation(links)}" if links else layout,
            f"{item}{'' if is_flat else ', global average pool'}",
            cost,
            global_pool=not is_flat,
            start=item.start,
            geometry=f"{item}{n}",
        )
        side = item.side if is_flat and n else 1
        if side > 1 and (n, side) not in by_pixel:
            by_pixel[n, side] = _by_pixel(denses[0], side)
        structures += _variants(structure, by_pixel.get((n, side)), is_torch=layout in ("OIHW", "IOHW"))
    return structures


def _by_pixel(dense: DenseStructure, side: int) -> DenseStructure:
    """Return a layer after images that were flattened by channel as one after images flattened by pixel."""
    n, n_out = dense.weight.shape
    weight = dense.weight.reshape(n // side**2, side, side, n_out).transpose(1, 2, 0, 3).reshape(n, n_out)
    return replace(dense, weight=weight)


def _variants(
    structure: NetworkStructure, by_pixel: DenseStructure | None, *, is_torch: bool
) -> list[NetworkStructure]:
    """Return the variants of a structure: orders of flattening, kinds of pooling, places of activations and norms.

    ``by_pixel`` is the first dense layer if the images before it were flattened by channel; None if it takes no images.
    """
    flattened = [structure]
    if by_pixel is not None:
        denses = by_pixel, *structure.denses[1:]
        flattened = [
            structure.variant("flattened by channel", 0.4 * (not is_torch), denses=denses),
            structure.variant("flattened by pixel", 0.4 * is_torch),
        ]
    pools = any(conv.geometry.pool > 1 for conv in structure.convs)
    found = []
    for varied in flattened:
        ends_pooled = structure.global_pool and structure.convs[-1].geometry.pool > 1  # averaging twice changes little
        for average in (False, True) if pools and not ends_pooled else (False,):
            pooled = varied.variant("average pooling", 0.5, average_pool=True) if average else varied
            found += with_norm_variants(pooled)
            if not structure.denses:
                found.append(pooled.variant("activation after the last layer", 0.4, last_activated=True))
    return found
