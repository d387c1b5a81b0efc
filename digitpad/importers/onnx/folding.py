"""Evaluation of the constant parts of an ONNX graph, which exporters compute from shapes and parameters.

The batch is taken to have one sample, so that the shape of a tensor is constant too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.onnx.model_file import OnnxNode

MAX_CONSTANT = 16 * 2**20
"""Maximum number of elements of a constant that is computed."""

Array = NDArray[Any]


def fold(node: OnnxNode, inputs: Sequence[Array]) -> Array | None:
    """Return the output of a node whose inputs are constant, or None if its type is not evaluated.

    Raises
    ------
    ValueError
        If the inputs do not fit. Other exceptions of NumPy are possible, since the file may state anything.
    """
    if node.kind not in _FOLDED:
        return None
    if sum(array.size for array in inputs) > MAX_CONSTANT:
        raise ValueError("computes with constants that are too large")
    with np.errstate(all="ignore"):
        result = np.asarray(_FOLDED[node.kind](node.attributes, *inputs))
    if result.size > MAX_CONSTANT:
        raise ValueError("computes a constant that is too large")
    return result


def constant(attributes: Mapping[str, Any]) -> Array:
    """Return the value of a Constant node.

    Raises
    ------
    ValueError
        If it has no value that is supported.
    """
    for key in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if isinstance(value := attributes.get(key), np.ndarray | float | int | list):
            return np.asarray(value)
    raise ValueError("has a value that is not supported")


def axes_of(attributes: Mapping[str, Any], others: Sequence[Array]) -> list[int]:
    """Return the axes that an attribute states, or in newer versions of ONNX the second input."""
    axes = attributes.get("axes")
    if isinstance(axes, list):
        return [int(axis) for axis in axes]
    return [int(axis) for axis in np.ravel(others[0])] if others else []


def _broadcast_limit(*arrays: Array) -> None:
    if np.broadcast_shapes(*(array.shape for array in arrays)) and (
        int(np.prod(np.broadcast_shapes(*(array.shape for array in arrays)), dtype=np.float64)) > MAX_CONSTANT
    ):
        raise ValueError("computes a constant that is too large")


def _arithmetic(function: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def result(_attributes: Mapping[str, Any], a: Array, b: Array) -> Array:
        _broadcast_limit(a, b)
        return function(a, b)

    return result


def _divided(a: Array, b: Array) -> Array:
    return a // b if a.dtype.kind in "iu" and b.dtype.kind in "iu" else a / b


def _reshaped(_attributes: Mapping[str, Any], data: Array, shape: Array) -> Array:
    sizes = [data.shape[i] if size == 0 and i < data.ndim else int(size) for i, size in enumerate(np.ravel(shape))]
    return data.reshape(sizes)


def _expand_axes(attributes: Mapping[str, Any], data: Array, *others: Array) -> Array:
    return np.expand_dims(data, tuple(axes_of(attributes, others)))


def _squeezed(attributes: Mapping[str, Any], data: Array, *others: Array) -> Array:
    return np.squeeze(data, tuple(axes_of(attributes, others)) or None)


def _sliced(attributes: Mapping[str, Any], data: Array, *others: Array) -> Array:
    starts, ends = (
        (np.ravel(others[0]), np.ravel(others[1]))
        if len(others) >= 2
        else (np.ravel(attributes["starts"]), np.ravel(attributes["ends"]))
    )
    axes = np.ravel(others[2]) if len(others) > 2 else np.ravel(attributes.get("axes", range(len(starts))))
    steps = np.ravel(others[3]) if len(others) > 3 else np.ones(len(starts), int)
    parts = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        parts[int(axis)] = slice(int(start), int(end), int(step))
    return data[tuple(parts)]


_CAST = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float32, 11: np.float64}

_FOLDED: dict[str, Callable[..., Any]] = {
    "Identity": lambda _, x: x,
    "Cast": lambda attributes, x: x.astype(_CAST[attributes["to"]]),
    "Transpose": lambda attributes, x: x.transpose(attributes.get("perm") or None),
    "Reshape": _reshaped,
    "Flatten": lambda attributes, x: x.reshape(int(np.prod(x.shape[: attributes.get("axis", 1)])), -1),
    "Unsqueeze": _expand_axes,
    "Squeeze": _squeezed,
    "Gather": lambda attributes, x, index: np.take(x, index.astype(int), int(attributes.get("axis", 0))),
    "Concat": lambda attributes, *arrays: np.concatenate(arrays, int(attributes.get("axis", 0))),
    "Slice": _sliced,
    "Shape": lambda _, x: np.array(x.shape),
    "Neg": lambda _, x: -x,
    "Sqrt": lambda _, x: np.sqrt(x),
    "Reciprocal": lambda _, x: 1 / x,
    "Add": _arithmetic(np.add),
    "Sub": _arithmetic(np.subtract),
    "Mul": _arithmetic(np.multiply),
    "Div": _arithmetic(_divided),
    "Pow": _arithmetic(np.power),
}
