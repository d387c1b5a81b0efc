"""Recovery of matrices that were flattened to vectors, concatenated to one vector, or stacked."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.layer_matching import MAX_UNITS
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import BIAS, NamedArray

_MAX_SIZES = 12  # numbers at the start of a vector that may be the sizes of layers
_MIN_NEURONS = 5
_COMMON_UNITS = (16, 32, 64, 100, 128, 200, 256, 300, 512, 20, 30, 50, 10, 24, 25, 40, 48, 80, 120, 150, 500)


def cut_vector(vector: Matrix, sizes: list[Matrix], k: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the ways to cut a vector into matrices and biases of a network with ``k`` outputs, most common first."""
    n = vector.size
    if sizes:
        layer_sizes = [[int(size) for size in sizes[0] if 1 <= size <= MAX_UNITS]]
    else:
        one_hidden, rest = divmod(n - k, N_PIXELS + 1 + k)
        layer_sizes = [[N_PIXELS, one_hidden, k]] if one_hidden and not rest else []
        layer_sizes += [[N_PIXELS, k]] if n == (N_PIXELS + 1) * k else []
        layer_sizes += [
            [N_PIXELS, a, b, k]
            for a in _COMMON_UNITS
            for b in _COMMON_UNITS
            if a * (N_PIXELS + 1) + b * (a + 1 + k) + k == n
        ]
        layer_sizes += [[N_PIXELS, n // (N_PIXELS + k), k]] if n % (N_PIXELS + k) == 0 else []
    for sizes_in_order in layer_sizes:
        steps = list(zip(sizes_in_order, sizes_in_order[1:], strict=False))
        with_bias = n == sum((a + 1) * b for a, b in steps)
        if not with_bias and n != sum(a * b for a, b in steps):
            continue
        for out_first in (True, False):
            shapes = [(b, a) if out_first else (a, b) for a, b in steps]
            folded_shapes = [(b, a + 1) if out_first else (a + 1, b) for a, b in steps]
            weights = [(f"W{i}", shape) for i, shape in enumerate(shapes)]
            biases = [(f"b{i}", (b,)) for i, (_, b) in enumerate(steps)] if with_bias else []
            yield _pieces(vector, [part for pair in itertools.zip_longest(weights, biases) for part in pair if part])
            if biases:
                yield _pieces(vector, [*weights, *biases])
                yield _pieces(vector, [(f"Theta{i}", shape) for i, shape in enumerate(folded_shapes)])


def leading_sizes(vector: Matrix, n_classes: int) -> tuple[list[Matrix], Matrix]:
    """Return the sizes of the layers that a vector starts with, as a list of none or one, and the rest of the vector.

    Programs in C write the sizes before the numbers, and before the sizes often their count.
    """
    for begin in (0, 1):
        head = vector[begin : begin + _MAX_SIZES]
        if not head.size or head[0] != N_PIXELS:
            continue
        for end in range(1, len(head)):
            if head[end] % 1 or not 1 <= head[end] <= MAX_UNITS:
                break
            if head[end] == n_classes:
                return [head[: end + 1]], vector[begin + end + 1 :]
    return [], vector


def stack_neurons(ones: list[NamedArray], numbers: Mapping[str, float]) -> dict[str, NDArray[Any]] | None:
    """Return matrices of shape (out, in) and biases from one vector per neuron and one number per bias.

    The vectors of a layer differ only in one number of their names. Return None if the file has no such vectors.
    """
    layers: dict[tuple[str, ...], list[tuple[tuple[int, ...], NamedArray]]] = {}
    for item in ones:
        if item.array.size == max(item.array.shape) and item.numbers:
            layers.setdefault((*item.family, str(item.array.size), *map(str, item.numbers[:-1])), []).append(
                (item.numbers, item)
            )
    arrays: dict[str, NDArray[Any]] = {}
    for items in layers.values():
        if len(items) >= _MIN_NEURONS and [place[-1] for place, _ in items] in (
            list(range(len(items))),
            list(range(1, len(items) + 1)),
        ):
            first = items[0][1]
            arrays[_name_of_layer(first.name)] = np.stack([item.vector for _, item in items])
    if not any(N_PIXELS in (array.shape[1], array.shape[1] - 1) for array in arrays.values()):
        return None
    biases: dict[str, list[float]] = {}
    for name, number in numbers.items():
        if (layer := _name_of_layer(name)) != name:
            biases.setdefault(layer, []).append(number)
    return arrays | {name: np.array(values) for name, values in biases.items() if len(values) >= _MIN_NEURONS}


def _name_of_layer(name: str) -> str:
    """Return the name without its last number, the index of a neuron."""
    return re.sub(r"[._]?\d+(?=\D*$)", "", name, count=1)


def _pieces(vector: Matrix, parts: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, NDArray[Any]]:
    pieces = {}
    begin = 0
    for name, shape in parts:
        end = begin + math.prod(shape)
        pieces[name] = vector[begin:end].reshape(shape)
        begin = end
    return pieces


def fold_rows(rows: list[NamedArray], out_first: bool, n_classes: int) -> dict[str, NDArray[Any]]:
    """Reshape each vector to a matrix that takes the previous outputs, where its size fits; keep the others."""
    arrays = {}
    n = N_PIXELS
    for item in rows:
        n_out, rest = divmod(item.array.size, n)
        if rest == 0 and n_out >= min(n_classes, 10):
            arrays[item.name] = item.vector.reshape((n_out, n) if out_first else (n, n_out))
            n = n_out
        else:
            arrays[item.name] = item.vector
    return arrays


def split_stacks(ones: list[NamedArray]) -> list[NamedArray]:
    """Split arrays in which NumPy or JSON stacked several biases or matrices of the same shape."""
    result: list[NamedArray] = []
    for item in ones:
        shape = tuple(size for size in item.array.shape if size > 1)
        stacked_biases = item.says(BIAS) and len(shape) == 2
        stacked_matrices = item.array.ndim == 3 and len(shape) == 3 and min(shape[1:]) >= 10 and shape[0] <= 64
        if stacked_biases or stacked_matrices:
            result += [
                replace(
                    item, array=part, name=f"{item.name}.{i}", words=(*item.words, str(i)), numbers=(*item.numbers, i)
                )
                for i, part in enumerate(item.array.reshape(shape))
            ]
        else:
            result.append(item)
    return result
