"""Which arrays of a file are a network's layers: chained from the 784 pixels to the classes by their shapes."""

from digitpad.errors import OutputsError, WeightsError
from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.diagnostics import no_layers, other_kind
from digitpad.importers.layout.convolutions import broken_images, convolutional
from digitpad.importers.layout.dense import N_MIDDLE, dense_structures, pad_to_28
from digitpad.importers.layout.flattened import cut_vector, fold_rows, split_stacks
from digitpad.importers.layout.layer_matching import BrokenChain, find_chain
from digitpad.importers.layout.structure import N_PIXELS, NetworkStructure
from digitpad.importers.layout.tensor_names import NamedArray, named_arrays


def find_structures(contents: TensorTree, n_classes: int) -> list[NetworkStructure]:
    """Every way in which a file can be a network with so many outputs, the most usual one first.

    Raises
    ------
    OutputsError
        If it is one, but has another number of them.
    WeightsError
        If there is none: what was found, and what would fit.
    """
    arrays = {name: array for name, array in contents.arrays.items() if array.size <= 16 * 2**20}
    named = split_stacks(named_arrays(arrays))
    quiet = [one for one in named if not one.is_noise]
    broken: list[BrokenChain] = []
    for ones in (quiet, named):
        found, why = _from_arrays(ones, n_classes)
        if found:
            return sorted(found, key=lambda one: one.cost)
        broken += [why] if why is not None else []
    if not any(one.array.ndim >= 2 and N_PIXELS in one.array.shape for one in quiet):
        found = _from_vectors(named, n_classes)
        if found:
            return sorted(found, key=lambda one: one.cost)
    unread = f"; not read: {', '.join(contents.passed_over[:5])}" if contents.passed_over else ""
    if (other := other_kind(contents)) or not broken:
        raise WeightsError(contents.path, (other or no_layers(contents, named, n_classes)) + unread)
    if broken[0].n_outputs:
        raise OutputsError(contents.path, broken[0].problem + unread, broken[0].n_outputs)
    raise WeightsError(contents.path, broken[0].problem + unread)


def _from_arrays(ones: list[NamedArray], n_classes: int) -> tuple[list[NetworkStructure], BrokenChain | None]:
    matrices = [one for one in ones if one.array.ndim == 2 and min(one.array.shape) > 1]
    kernels = [one for one in ones if one.array.ndim == 4 and max(one.array.shape[:2]) > 1]
    if not kernels:
        kernels = [one for one in ones if one.array.ndim == 3 and one.array.shape[1] == one.array.shape[2] <= 11][:1]
    found: list[NetworkStructure] = []
    if kernels:
        found = convolutional(ones, matrices, kernels, n_classes)
        if found:
            return found, None
    links, broken = find_chain(matrices, N_PIXELS, n_classes)
    if links is not None:
        return dense_structures(ones, links), None
    if kernels:
        return [], broken_images(matrices, kernels, n_classes)
    if broken is None and (links := find_chain(matrices, N_MIDDLE, n_classes)[0]) is not None:
        return [pad_to_28(structure) for structure in dense_structures(ones, links)], None
    return [], broken


def _from_vectors(ones: list[NamedArray], n_classes: int) -> list[NetworkStructure]:
    """Matrices that were flattened: each by itself, or all of a network in one."""
    rows = [one for one in ones if one.array.size == max(one.array.shape) and not one.is_noise]
    large = [one for one in rows if one.array.size >= N_PIXELS * min(n_classes, 10)]
    found: list[NetworkStructure] = []
    if len(large) == 1:
        sizes = [one.vector for one in ones if 2 <= one.array.size <= 20 and one.vector[0] == N_PIXELS]
        for rank, arrays in enumerate(cut_vector(large[0].vector, sizes, n_classes)):
            part, _ = _from_arrays(named_arrays(arrays), n_classes)
            found += [one.variant("all in one row", 0.05 * rank) for one in part]
            if len(found) >= 24:
                break
    if found:
        return found
    for out_first in (True, False):
        part, _ = _from_arrays(named_arrays(fold_rows(rows, out_first, n_classes)), n_classes)
        found += [one.variant("flattened", 0.1 * (not out_first)) for one in part]
    return found
