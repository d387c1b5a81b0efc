"""Weights of Keras without a configuration: names for the arrays, so that the search for layers can use them."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.containers.tensor_tree import TensorTree
from digitpad.importers.keras.weight_stores import LayerWeights

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_NAMES = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
_MAX_KERNEL = 11


def add_arrays(tree: TensorTree, layers: Sequence[LayerWeights], *, theano: bool) -> None:
    """Add the arrays of all layers as ``<place>_<layer>.<parameter>``, for example ``0_dense.kernel``."""
    for place, layer in enumerate(flat_layers(layers)):
        for name, array in named_parameters(layer):
            if theano and array.ndim == 4:
                array = rotated(array)
            tree.add(f"{place}_{layer.name.replace('.', '_')[:60]}.{name}", array)


def flat_layers(layers: Sequence[LayerWeights]) -> Iterator[LayerWeights]:
    """Yield all layers with arrays of their own, those of nested models in their place."""
    for layer in layers:
        nested = layer.inner if len(layer.inner) > 1 or not layer.arrays else []
        if nested:
            yield from flat_layers(nested)
        elif layer.arrays:
            yield layer


def named_parameters(layer: LayerWeights) -> list[tuple[str, NDArray[Any]]]:
    """Return the arrays of a layer with the names of Keras 2; arrays with numbers are named by their shapes."""
    arrays = [(_NAMES.get(name, name), array) for name, array in layer.arrays]
    if any(not name.isdigit() for name, _ in arrays):
        return arrays
    shapes = [array.shape for _, array in arrays]
    if len(arrays) >= 2 and all(len(shape) == 1 for shape in shapes):
        names: Sequence[str] = _NORM if len(arrays) == 4 else _NORM[-len(arrays) :]
        if len(arrays) == 3:
            names = _NORM[1:]
    else:
        names = ("kernel", "bias") if shapes and len(shapes[0]) > 1 else ()
    return [(names[i] if i < len(names) else f"array{i}", array) for i, (_, array) in enumerate(arrays)]


def rotated(kernel: NDArray[Any]) -> NDArray[Any]:
    """Return a kernel of Theano, which convolves, as a kernel for cross-correlation: rotated by 180°."""
    rows_first = kernel.shape[0] == kernel.shape[1] <= _MAX_KERNEL and kernel.shape[2] != kernel.shape[3]
    return np.ascontiguousarray(kernel[::-1, ::-1] if rows_first else kernel[..., ::-1, ::-1])
