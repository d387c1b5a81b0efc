"""Search for a network's layers among the arrays of a file, chained by shape from 784 pixels to the classes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from digitpad.class_names import MAX_CLASSES
from digitpad.errors import OutputsError, WeightsError
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.diagnostics import is_known_layerless, no_layers, other_kind
from digitpad.importers.layout.array_kinds import kind_of
from digitpad.importers.layout.convolutions import broken_images, convolutional
from digitpad.importers.layout.dense import N_MIDDLE, dense_structures, pad_to_28
from digitpad.importers.layout.flattened import cut_vector, fold_rows, leading_sizes, split_stacks, stack_neurons
from digitpad.importers.layout.layer_matching import BrokenChain, find_chain
from digitpad.importers.layout.stated_network import Step
from digitpad.importers.layout.structure import N_PIXELS, NetworkStructure
from digitpad.importers.layout.tensor_names import NamedArray, named_arrays
from digitpad.nn.layers import Flatten


def find_structures(tensor_tree: TensorTree, n_classes: int) -> list[NetworkStructure]:
    """Return every possible structure of a file's network with ``n_classes`` outputs, most common first.

    Raises
    ------
    OutputsError
        If the file holds a network with a different number of outputs.
    WeightsError
        If the file holds no network; the message says what it holds and what would fit.
    """
    if tensor_tree.stated:
        return _stated_structures(tensor_tree, n_classes)
    arrays = {name: array for name, array in tensor_tree.arrays.items() if array.size <= 16 * 2**20}
    if is_known_layerless(tensor_tree):
        raise WeightsError(tensor_tree.path, other_kind(tensor_tree))
    named = split_stacks([item for item in named_arrays(arrays) if kind_of(item) is None])
    parameters = [item for item in named if not item.is_noise]
    broken: list[BrokenChain] = []
    for arrays_to_try in (parameters, named):
        structures, problem = _from_arrays(arrays_to_try, n_classes)
        if structures:
            return sorted(structures, key=lambda item: item.cost)
        broken += [problem] if problem is not None else []
    if not any(item.array.ndim >= 2 and N_PIXELS in item.array.shape for item in parameters):
        structures = _from_neurons(named, tensor_tree.numbers, n_classes) or _from_vectors(named, n_classes)
        if structures:
            return sorted(structures, key=lambda item: item.cost)
    if tensor_tree.kind == "a table" and len(named) > 1:  # lines need not be rows
        sizes = [item for item in named if item.name == "sizes"]
        numbers = np.concatenate(
            [item.vector for item in sorted(named, key=lambda item: item.place) if item not in sizes]
        )
        structures = _from_vectors([*sizes, *named_arrays({"lines": numbers})], n_classes)
        if structures:
            return sorted(structures, key=lambda item: item.cost)
    skipped = f"; skipped: {', '.join(tensor_tree.passed_over[:5])}" if tensor_tree.passed_over else ""
    if (other := other_kind(tensor_tree)) or not broken:
        raise WeightsError(tensor_tree.path, (other or no_layers(tensor_tree, named, n_classes)) + skipped)
    if broken[0].n_outputs:
        raise OutputsError(tensor_tree.path, broken[0].problem + skipped, broken[0].n_outputs)
    raise WeightsError(tensor_tree.path, broken[0].problem + skipped)


def _stated_structures(tensor_tree: TensorTree, n_classes: int) -> list[NetworkStructure]:
    """Return the structures of networks whose layers the file states."""
    structures = []
    for network in tensor_tree.stated:
        try:
            shape = network.plan().output_shape
        except ValueError as error:
            raise WeightsError(tensor_tree.path, f"describes an impossible network: {error}") from error
        if len(shape) == 3 and shape[:2] == (1, 1):  # global pooling whose output was not flattened
            network, shape = replace(network, steps=(*network.steps, Step(Flatten()))), shape[2:]
        n = shape[0] if len(shape) == 1 else 0
        if not 2 <= n <= MAX_CLASSES:
            found = " × ".join(map(str, shape))
            problem = f"has {found} outputs; expected {n_classes}, one per class"
            raise WeightsError(tensor_tree.path, problem)
        if n != n_classes:
            wanted = "10, one per digit, or class names" if n_classes == 10 else f"{n_classes}, one per class name"
            raise OutputsError(tensor_tree.path, f"has {n} outputs; expected {wanted}", n)
        structures.append(
            NetworkStructure((), (), "in, out", network.detail, network.cost, geometry="stated", stated=network)
        )
    return structures


def _from_arrays(ones: list[NamedArray], n_classes: int) -> tuple[list[NetworkStructure], BrokenChain | None]:
    matrices = [item for item in ones if item.array.ndim == 2 and min(item.array.shape) > 1]
    kernels = [item for item in ones if item.array.ndim == 4]
    if not kernels:
        stacks = [item for item in ones if item.array.ndim == 3 and item.array.shape[1] == item.array.shape[2] <= 11]
        kernels = stacks[:1]
    structures: list[NetworkStructure] = []
    if kernels:
        structures = convolutional(ones, matrices, kernels, n_classes)
        if structures:
            return structures, None
    links, broken = find_chain(matrices, N_PIXELS, n_classes)
    if links is not None:
        return dense_structures(ones, links), None
    if kernels:
        return [], broken_images(matrices, kernels, n_classes)
    if broken is None and (links := find_chain(matrices, N_MIDDLE, n_classes)[0]) is not None:
        return [pad_to_28(structure) for structure in dense_structures(ones, links)], None
    return [], broken


def _from_neurons(ones: list[NamedArray], numbers: Mapping[str, float], n_classes: int) -> list[NetworkStructure]:
    """Return structures from one vector per neuron."""
    arrays = stack_neurons(ones, numbers)
    if arrays is None:
        return []
    part, _ = _from_arrays(named_arrays(arrays), n_classes)
    return [item.variant("one vector per neuron") for item in part]


def _from_vectors(ones: list[NamedArray], n_classes: int) -> list[NetworkStructure]:
    """Return structures from flattened matrices: one vector per matrix, or one vector for the whole network."""
    rows = [item for item in ones if item.array.size == max(item.array.shape) and not item.is_noise]
    large = [item for item in rows if item.array.size >= N_PIXELS * min(n_classes, 10)]
    structures: list[NetworkStructure] = []
    if len(large) == 1:
        sizes = [item.vector for item in ones if 2 <= item.array.size <= 20 and item.vector[0] == N_PIXELS]
        stated, vector = leading_sizes(large[0].vector, n_classes)
        for rank, arrays in enumerate(cut_vector(vector, stated or sizes, n_classes)):
            part, _ = _from_arrays(named_arrays(arrays), n_classes)
            structures += [item.variant("all in one vector", 0.05 * rank) for item in part]
            if len(structures) >= 24:
                break
    if structures:
        return structures
    for out_first in (True, False):
        part, _ = _from_arrays(named_arrays(fold_rows(rows, out_first, n_classes)), n_classes)
        structures += [item.variant("flattened", 0.1 * (not out_first)) for item in part]
    return structures
