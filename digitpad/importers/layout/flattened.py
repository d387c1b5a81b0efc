"""Recovery of matrices that were flattened to vectors, concatenated to one vector, or stacked."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from digitpad.importers.layout.layer_matching import MAX_UNITS
from digitpad.importers.layout.structure import N_PIXELS, Matrix
from digitpad.importers.layout.tensor_names import BIAS, NamedArray

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
