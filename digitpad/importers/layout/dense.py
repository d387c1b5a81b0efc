"""Structures of fully connected layers, from chains of matrices and their biases."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitpad.importers.layout.bias_pairing import pair_biases
from digitpad.importers.layout.layer_matching import LayerLink, orientation, with_square
from digitpad.importers.layout.structure import N_PIXELS, SIDE, DenseStructure, NetworkStructure, with_norm_variants
from digitpad.importers.layout.tensor_names import NamedArray

N_MIDDLE, _MIDDLE = 400, 20


def dense_layers(ones: list[NamedArray], links: Sequence[LayerLink], bias_last: bool) -> list[DenseStructure]:
    """Return a layer for each link; ``bias_last`` states whether included biases are the last row or the first."""
    arrays = [link.one for link in links]
    biases = pair_biases(ones, arrays, [link.n_out for link in links])
    layers = []
    for link, (bias, norm) in zip(links, biases, strict=True):
        weight = link.weight()
        if link.folded:
            layers.append(
                DenseStructure(weight[:-1], weight[-1], norm)
                if bias_last
                else DenseStructure(weight[1:], weight[0], norm)
            )
        else:
            layers.append(DenseStructure(weight, bias, norm))
    return layers


def dense_structures(ones: list[NamedArray], links: list[LayerLink]) -> list[NetworkStructure]:
    """Return the possible structures of a chain: orientations of square matrices, and positions of included biases."""
    structures = []
    for flipped in (False, True) if any(link.is_square for link in links) else (False,):
        for bias_last in (False, True) if any(link.folded for link in links) else (False,):
            oriented = [with_square(link, links, flipped) for link in links]
            denses = dense_layers(ones, oriented, bias_last)
            details = ["square matrices transposed"] * flipped
            details += [f"bias {'last' if bias_last else 'first'}"] * any(link.folded for link in links)
            cost = 2.0 * flipped + 0.2 * bias_last
            structure = NetworkStructure((), tuple(denses), orientation(oriented), "; ".join(details), cost)
            structures += with_norm_variants(structure)
    return structures


def pad_to_28(structure: NetworkStructure) -> NetworkStructure:
    """Convert a network for 20 × 20 pixels, the size of MNIST's digits without their border, to 28 × 28 pixels."""
    first, *others = structure.denses
    weight = np.zeros((SIDE, SIDE, first.weight.shape[1]))
    border = (SIDE - _MIDDLE) // 2
    weight[border:-border, border:-border] = first.weight.reshape(_MIDDLE, _MIDDLE, -1)
    denses = (replace(first, weight=weight.reshape(N_PIXELS, -1)), *others)
    return structure.variant("20 × 20 pixels in the middle", denses=denses)
