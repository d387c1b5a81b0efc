"""Construction of digitpad's layers one after another, while following the shape that Keras has at each place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.importers.layout.stated_network import Step
from digitpad.nn.arrays import Shape
from digitpad.nn.layers import AddChannel, BatchNorm, Branches, Conv2d, Flatten, Layer, Linear, Reshape

SIDE = 28


@dataclass(frozen=True, eq=False)
class Flow:
    """Steps so far, and the shape of a sample after them.

    Attributes
    ----------
    steps : tuple of Step
    shape : tuple of int
        Shape in digitpad: (units,), (height, width) or (height, width, channels).
    channels_first : bool
        Whether Keras has (channels, height, width) where digitpad has the channels last.
    undecided : bool
        Whether the input is (1, 28, 28); then only the next layer shows which axis holds the channels.
    order : ndarray, optional
        After flattening with the channels first: the element of digitpad for each element of Keras.
    """

    steps: tuple[Step, ...] = ()
    shape: Shape = (SIDE, SIDE)
    channels_first: bool = False
    undecided: bool = False
    order: NDArray[np.intp] | None = field(default=None)

    def add(self, layer: Layer, parameters: Mapping[str, Any] | None = None) -> "Flow":
        """Return the flow after one more layer.

        Raises
        ------
        ValueError
            If the layer does not accept the shape, or the parameters do not have the layer's shapes.
        """
        arrays = {name: np.asarray(value, np.float32) for name, value in (parameters or {}).items()}
        wanted = layer.parameter_shapes(self.shape)
        if not isinstance(layer, Branches):
            for name, shape in wanted.items():
                if name not in arrays:
                    raise ValueError(f"has no {name}")
                if arrays[name].shape != shape:
                    found = " × ".join(map(str, arrays[name].shape))
                    raise ValueError(f"has a {name} of {found}; expected {' × '.join(map(str, shape))}")
        shape = layer.output_shape(self.shape)
        return replace(self, steps=(*self.steps, Step(layer, arrays)), shape=shape)

    def image(self, channels_first: bool) -> "Flow":
        """Return the flow with images that have channels, as a layer with this data format needs them."""
        flow = self
        if flow.undecided:
            flow = replace(flow, undecided=False)
            flow = (
                replace(flow.add(AddChannel()), channels_first=True)
                if channels_first
                else flow.add(Reshape([1, SIDE, SIDE]))
            )
        if len(flow.shape) != 3:
            raise ValueError(f"takes images with channels, but its input has the shape {flow.shape}")
        if flow.channels_first != channels_first:
            if flow.shape[2] != 1 and (flow.shape[0], flow.shape[1]) != (1, 1):
                raise ValueError("has another data_format than the layer before it, which is not supported")
            flow = replace(flow, channels_first=channels_first)
        return flow

    def flat(self, *, transposes: bool = False) -> "Flow":
        """Return the flow with flat samples; ``transposes`` if Keras moves the channels to the end first."""
        if self.order is not None or len(self.shape) == 1:
            return self
        order = None
        if self.channels_first and not transposes and not self.undecided and len(self.shape) == 3:
            height, width, channels = self.shape
            order = np.arange(math.prod(self.shape)).reshape(height, width, channels).transpose(2, 0, 1).ravel()
            if channels == 1 or height * width == 1:
                order = None
        flow = replace(self.add(Flatten()), channels_first=False, undecided=False)
        return replace(flow, order=order)

    def dense(self, weight: NDArray[Any], bias: NDArray[Any]) -> "Flow":
        """Return the flow after a dense layer, which acts on the last axis of images."""
        if len(self.shape) == 1:
            if self.order is not None and len(weight) == len(self.order):
                sorted_rows = np.empty_like(weight)
                sorted_rows[self.order] = weight
                weight = sorted_rows
            flow = replace(self, order=None)
            return flow.add(Linear(int(weight.shape[1])), {"weight": weight, "bias": bias})
        flow = self.pointwise()
        layer = Conv2d(int(weight.shape[1]), 1)
        return flow.add(layer, {"weight": weight[None, None], "bias": bias})

    def pointwise(self) -> "Flow":
        """Return the flow with the last axis of Keras as that of the channels."""
        if self.channels_first:
            raise ValueError("acts on the columns of images with the channels first, which is not supported")
        if len(self.shape) == 2:
            return self.add(Reshape([self.shape[0], 1, self.shape[1]]))
        return self

    def norm(self, layer: BatchNorm, arrays: Mapping[str, NDArray[Any]]) -> "Flow":
        """Return the flow after a normalisation of the last axis of digitpad."""
        if self.order is not None:
            moved = {}
            for name, array in arrays.items():
                moved[name] = np.empty_like(array)
                moved[name][self.order] = array
            arrays = moved
        return self.add(layer, arrays)

    def in_order(self) -> "Flow":
        """Return the flow itself if its elements have digitpad's order.

        Raises
        ------
        ValueError
            If they do not.
        """
        if self.order is not None:
            raise ValueError("follows a Flatten with the channels first, which is not supported before this layer")
        return self


def padding_for(size: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """Return the zeros before and after a side of an image, by Keras' names of paddings."""
    if padding == "same":
        total = max(0, (math.ceil(size / stride) - 1) * stride + window - size)
        return total // 2, total - total // 2
    if padding == "full":
        return window - 1, window - 1
    if padding != "valid":
        raise ValueError(f"has the padding {padding[:40]!r}, which is not supported")
    return 0, 0
