"""Branches: several sequences of layers that start at the same input, as in residual networks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.layers.base import Layer

MERGES = ("add", "concatenate")
MAX_BRANCHES = 16
MAX_NESTED = 200
"""Limit of the number of layers in all branches of a layer, at any depth."""
MAX_DEPTH = 6


@dataclass
class Branches(Layer):
    """Branches that are merged: y is the sum of all branches of x, or their concatenation along the last axis.

    With the branches f(x) and x, the sum is a residual block, y = f(x) + x (He et al., 2016). An empty branch is x.
    A branch is a list of layers, or of their settings. Parameters are named by branch, layer and parameter, for example
    ``0.2.weight``.
    """

    branches: Sequence[Sequence[Any]]
    merge: str = "add"

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ValueError(f"Branches takes {' or '.join(MERGES)} as its merge, not {str(self.merge)[:40]!r}")
        branches = self.branches
        if not isinstance(branches, list | tuple) or not 1 <= len(branches) <= MAX_BRANCHES:
            raise ValueError(f"Branches takes a list of 1 to {MAX_BRANCHES} branches")
        if not all(isinstance(branch, list | tuple) for branch in branches):
            raise ValueError("Branches takes lists of layers")
        if _is_deeper(branches, MAX_DEPTH):
            raise ValueError(f"Branches is nested more than {MAX_DEPTH} deep")
        # New layers, so that networks that share parameters do not share memory.
        self.branches = [[_built(layer) for layer in branch] for branch in branches]
        if self.n_nested > MAX_NESTED:
            raise ValueError(f"Branches holds more than {MAX_NESTED} layers")

    @property
    def n_nested(self) -> int:
        """Number of layers in all branches, at any depth."""
        layers = [layer for branch in self.branches for layer in branch]
        return len(layers) + sum(layer.n_nested for layer in layers if isinstance(layer, Branches))

    @property
    def weights(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the parameters that multiply an input."""
        return tuple(f"{name}.{inner}" for name, layer in self._named_layers() for inner in layer.weights)

    def bind(self, parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], scratch: Scratch) -> None:
        super().bind(parameters, gradients, scratch)
        for name, layer in self._named_layers():
            layer.bind(_own(parameters, name), _own(gradients, name), scratch.new())
            layer.observes = self.observes

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for name, layer, shape in self._with_shapes(input_shape):
            shapes |= {f"{name}.{inner}": size for inner, size in layer.parameter_shapes(shape).items()}
        return shapes

    def output_shape(self, input_shape: Shape) -> Shape:
        ends = [self._end_shape(branch, input_shape) for branch in self.branches]
        if self.merge == "concatenate":
            if len({end[:-1] for end in ends}) > 1:
                raise ValueError(f"branches of the shapes {_listed(ends)} cannot be concatenated")
            return (*ends[0][:-1], sum(end[-1] for end in ends))
        if len(set(ends)) > 1:
            raise ValueError(f"branches of the shapes {_listed(ends)} cannot be added")
        return ends[0]

    def n_held(self, input_shape: Shape) -> int:
        inner = sum(layer.n_held(shape) for _, layer, shape in self._with_shapes(input_shape))
        return super().n_held(input_shape) + math.prod(input_shape) * len(self.branches) + inner

    def n_products(self, input_shape: Shape) -> int:
        return sum(layer.n_products(shape) for _, layer, shape in self._with_shapes(input_shape))

    def initialize(self, rng: np.random.Generator) -> None:
        for _, layer in self._named_layers():
            layer.initialize(rng)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x_shape = x.shape
        self._dx: Floats | None = None
        outputs = []
        for i, branch in enumerate(self.branches):
            part = x
            if branch:  # a layer may overwrite its input, which the other branches need
                part = self.scratch(f"x {i}", x.shape)
                part[...] = x
            for layer in branch:
                part = layer.forward(part, training)
            outputs.append(part)
        self._sizes = [part.shape[-1] for part in outputs]
        shape = outputs[0].shape if self.merge == "add" else (*outputs[0].shape[:-1], sum(self._sizes))
        y = self.scratch("y", shape)
        if self.merge == "concatenate":
            return np.concatenate(outputs, axis=-1, out=y)
        y[...] = outputs[0]
        for part in outputs[1:]:
            y += part
        return y

    def write_gradients(self, dy: Floats) -> None:
        """Write the gradients of all branches, each of which receives dy, or its part of dy if it was concatenated."""
        self._dx = self._backward(dy, write=True)

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx, the sum of the gradients of all branches, as each of them uses x."""
        # In training, `write_gradients` has overwritten what the layers kept for their gradients.
        return self._backward(dy, write=False) if self._dx is None else self._dx

    def _backward(self, dy: Floats, *, write: bool) -> Floats:
        dx = self.scratch("dx", self._x_shape)
        dx.fill(0)
        ends = np.cumsum([0, *self._sizes])
        for i, branch in enumerate(self.branches):
            part = dy if self.merge == "add" else dy[..., ends[i] : ends[i + 1]]
            gradient = self.scratch(f"dy {i}", part.shape)
            gradient[...] = part  # a layer may overwrite it
            for layer in reversed(branch):
                if write:
                    layer.write_gradients(gradient)
                gradient = layer.input_gradient(gradient)
            dx += gradient
        return dx

    def _named_layers(self) -> list[tuple[str, Layer]]:
        return [(f"{i}.{j}", layer) for i, branch in enumerate(self.branches) for j, layer in enumerate(branch)]

    def _with_shapes(self, input_shape: Shape) -> list[tuple[str, Layer, Shape]]:
        """Return the name, the layer and the shape of its input, for each layer of each branch."""
        result = []
        for i, branch in enumerate(self.branches):
            shape = input_shape
            for j, layer in enumerate(branch):
                result.append((f"{i}.{j}", layer, shape))
                shape = layer.output_shape(shape)
        return result

    @staticmethod
    def _end_shape(branch: Sequence[Layer], shape: Shape) -> Shape:
        for layer in branch:
            shape = layer.output_shape(shape)
        return shape

    def settings(self) -> dict[str, Any]:
        branches = [[layer.settings() for layer in branch] for branch in self.branches]
        return {"type": "Branches", "branches": branches, "merge": self.merge}


def _built(layer: Any) -> Layer:
    from digitpad.nn.layers import layer_from_settings

    return layer_from_settings(layer.settings() if isinstance(layer, Layer) else layer)


def _own(arrays: Mapping[str, Floats], name: str) -> dict[str, Floats]:
    """Return the arrays of one layer, without its name."""
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(str, shapes[:4]))


def _is_deeper(branches: Sequence[Sequence[Any]], depth: int) -> bool:
    """Return whether branches are nested more than ``depth`` deep, before any layer is built."""
    inner = [layer.get("branches") if isinstance(layer, Mapping) else getattr(layer, "branches", None)
             for branch in branches if isinstance(branch, list | tuple) for layer in branch]  # fmt: skip
    nested = [item for item in inner if isinstance(item, list | tuple)]
    return bool(nested) and (depth <= 1 or any(_is_deeper(item, depth - 1) for item in nested))
