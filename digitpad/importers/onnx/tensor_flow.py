"""Construction of digitpad's layers one after another, while following the tensor that ONNX has at each place.

digitpad stores images as (height, width, channels), and ONNX usually as (channels, height, width). Instead of moving
numbers, a `Flow` keeps for each element of ONNX's tensor the place of the same element in digitpad's. Transposing,
reshaping and flattening only change this table, and the next layer with weights rearranges its weights by it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.enlargement import MAX_SIDE, MIN_SIDE
from digitpad.importers.layout.stated_network import Step
from digitpad.nn.arrays import Shape
from digitpad.nn.layers import AddChannel, BatchNorm, Flatten, Layer, Linear, Reshape
from digitpad.weights.native_format import MAX_ACTIVATIONS

SIDE = 28


@dataclass(frozen=True, eq=False)
class Flow:
    """Steps so far, and the tensor after them.

    Attributes
    ----------
    steps : tuple of Step
    shape : tuple of int
        Shape of a sample in digitpad.
    places : ndarray of int
        For each element of a sample in ONNX, the index of the same element in digitpad, in the shape that ONNX has.
    """

    steps: tuple[Step, ...]
    shape: Shape
    places: NDArray[np.intp]

    @classmethod
    def of_image(cls, shape: Sequence[int]) -> "Flow":
        """Return the flow of a square grey image in a shape of ONNX, without the batch.

        Raises
        ------
        ValueError
            If the shape has another number of elements, or the image is too small or too large.
        """
        n = int(np.prod(shape, dtype=np.float64))
        side = math.isqrt(max(0, n))
        is_image = n == SIDE**2 or sorted(shape)[-2:] == [side, side]
        if side * side != n or not MIN_SIDE <= side <= MAX_SIDE or not is_image:
            raise ValueError(f"takes inputs of {' × '.join(map(str, shape))} numbers, but digits have {SIDE} × {SIDE}")
        return cls((), (side, side), np.arange(side * side).reshape(tuple(shape)))

    def add(self, layer: Layer, parameters: Mapping[str, Any] | None = None) -> "Flow":
        """Return the flow after a layer that keeps the order of the elements, as activations do."""
        shape = layer.output_shape(self.shape)
        if int(np.prod(shape, dtype=np.float64)) > MAX_ACTIVATIONS:
            raise ValueError(f"computes more than {MAX_ACTIVATIONS:,} numbers per image")
        step = Step(layer, {name: np.asarray(value, np.float32) for name, value in (parameters or {}).items()})
        return replace(self, steps=(*self.steps, step), shape=shape)

    def moved(self, places: NDArray[np.intp]) -> "Flow":
        """Return the flow with the same elements in another order or shape."""
        return replace(self, places=places)

    def images(self) -> "Flow":
        """Return the flow as images with channels, in ONNX's order (channels, height, width).

        Raises
        ------
        ValueError
            If ONNX's tensor has another order.
        """
        if self.places.ndim != 3:
            raise ValueError(f"takes images, but its input has the shape {self.places.shape}")
        channels, height, width = self.places.shape
        wanted = np.arange(self.places.size).reshape(height, width, channels).transpose(2, 0, 1)
        if not np.array_equal(self.places, wanted):
            raise ValueError("takes images whose rows, columns or channels were exchanged")
        if self.shape == (height, width, channels):
            return self
        if self.shape == (height, width) and channels == 1:
            return self.add(AddChannel())
        return self.add(Reshape([height, width, channels]))

    def after_images(self, layer: Layer, parameters: Mapping[str, Any] | None = None) -> "Flow":
        """Return the flow after a layer from images to images."""
        flow = self.images().add(layer, parameters)
        height, width, channels = flow.shape
        return flow.moved(np.arange(height * width * channels).reshape(height, width, channels).transpose(2, 0, 1))

    def vector(self) -> "Flow":
        """Return the flow as vectors.

        Raises
        ------
        ValueError
            If ONNX's tensor has more axes.
        """
        if self.places.ndim != 1:
            raise ValueError(f"takes vectors, but its input has the shape {self.places.shape}")
        return self if len(self.shape) == 1 else self.add(Flatten())

    def dense(self, weight: NDArray[Any], bias: NDArray[Any] | None) -> "Flow":
        """Return the flow after a dense layer with a weight of shape (in, out).

        Raises
        ------
        ValueError
            If the weight has another number of inputs.
        """
        flow = self.vector()
        if weight.ndim != 2 or len(weight) != len(flow.places):
            found = " × ".join(map(str, weight.shape))
            raise ValueError(f"has weights of {found}, but its input has {len(flow.places):,} numbers")
        rows = np.empty_like(weight)
        rows[flow.places] = weight
        n = weight.shape[1]
        offset = np.zeros(n) if bias is None else np.broadcast_to(np.ravel(bias), (n,))
        return flow.add(Linear(n), {"weight": rows, "bias": offset}).moved(np.arange(n))

    def per_channel(self, constant: NDArray[Any]) -> NDArray[np.float64]:
        """Return the number that a constant has for each channel of images, whose axes may be in any order.

        Raises
        ------
        ValueError
            If the constant does not fit the tensor, or differs between the pixels of a channel.
        """
        problem = "takes a constant that is not one number per channel, which is not supported"
        try:
            spread = np.broadcast_to(constant, (1, *self.places.shape))
        except ValueError as error:
            raise ValueError(problem) from error
        ordered = np.empty(self.places.size)
        ordered[self.places.ravel()] = spread.ravel()
        pixels = ordered.reshape(-1, self.shape[2] if len(self.shape) == 3 else 1)
        if not (pixels == pixels[0]).all():
            raise ValueError(problem)
        return pixels[0]

    def affine(self, scale: NDArray[Any], shift: NDArray[Any], mean: Any = 0.0, variance: Any = 1.0, eps: float = 1e-12
               ) -> "Flow":  # fmt: skip
        """Return the flow after a normalisation of each channel, or of each element of a vector."""
        if self.places.ndim == 1:
            flow, n = self.vector(), self.places.size
            places = flow.places
        else:
            flow = self.images()
            n = flow.shape[2]
            places = np.arange(n)
        arrays = {"scale": scale, "shift": shift, "mean": mean, "variance": variance}
        moved = {}
        for name, array in arrays.items():
            moved[name] = np.empty(n)
            moved[name][places] = np.broadcast_to(np.ravel(array), (n,))
        return flow.add(BatchNorm(eps=eps), moved)
