"""Base class of layers: a function of a batch, together with its gradients.

In the layers, x is the input, y is the output, and dx, dy are the gradients of the loss with respect to them. A layer
may overwrite dy with dx. Only `ReLU` overwrites x with y, which saves memory traffic. This is safe although the
previous layer may keep x for its backward pass: wherever `ReLU` changes a value, the gradient is 0.

A batch of n samples is an array of shape (n, ...), with one exception: images with channels, whose samples have the
shape (height, width, channels), are stored as (height, n, width, channels). A window that slides over the rows is then
a slice of the batch, and a convolution must gather windows only along the width.
"""

import math
from collections.abc import Mapping
from dataclasses import Field, field, fields
from typing import Any, ClassVar

import numpy as np

from digitpad.nn.arrays import Floats, Scratch, Shape


class Layer:
    """Layer of a network: the forward pass and the two parts of the backward pass.

    A subclass is a dataclass. Its fields are its settings, which it validates because they may come from a file. Before
    use, the network calls `bind` with views of its flat vectors, which hold the layer's parameters and gradients.
    """

    weights: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters that multiply the input; regularisation and weight decay apply to these only."""

    observes: bool = True
    """Whether `forward` may update running averages in training; of networks that share parameters, only one may."""

    parameters: Mapping[str, Floats]
    gradients: Mapping[str, Floats]
    scratch: Scratch

    def bind(self, parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], scratch: Scratch) -> None:
        """Set the arrays for parameters and gradients, of the shapes in `parameter_shapes`, and the scratch memory."""
        self.parameters, self.gradients, self.scratch = parameters, gradients, scratch

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shape of each parameter by name; empty for a layer without parameters."""
        return {}

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one sample of y, given the shape of one sample of x.

        Raises
        ------
        ValueError
            If the layer does not accept samples of that shape.
        """
        return input_shape

    def n_held(self, input_shape: Shape) -> int:
        """Return how many numbers the layer keeps in memory for one sample."""
        return math.prod(self.output_shape(input_shape))

    def n_products(self, input_shape: Shape) -> int:
        """Return the number of multiplications in matrix products for one sample, which determine the time."""
        shapes = self.parameter_shapes(input_shape)
        # A weight is used once for each output position: 1 for a Linear layer, a whole image for a convolution.
        n_positions = math.prod(self.output_shape(input_shape)[:-1])
        return n_positions * sum(math.prod(shapes[name]) for name in self.weights)

    def initialize(self, rng: np.random.Generator) -> None:
        """Initialise the parameters."""

    def forward(self, x: Floats, training: bool) -> Floats:
        """Return y for the batch x; ``training`` selects the training behaviour of layers that have one."""
        raise NotImplementedError

    def write_gradients(self, dy: Floats) -> None:
        """Write the gradient of the loss with respect to each parameter into ``gradients``; dy does not change."""

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx for the most recent batch of `forward`.

        If that batch was in training, `write_gradients` must have been called before, with the same dy.
        """
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """Return the settings that rebuild this layer: its class name as ``type``, and its fields.

        A field that was added later (`added_later`) is left out at its default, so that files of networks without it
        stay as they were, and earlier versions read them.
        """
        values = {item.name: getattr(self, item.name) for item in fields(self) if not _is_left_out(self, item)}  # type: ignore[arg-type]
        return {"type": type(self).__name__, **values}


def added_later(default: Any) -> Any:
    """Return a dataclass field that `Layer.settings` leaves out at its default."""
    return field(default=default, metadata={"added later": True})


def _is_left_out(layer: Layer, item: Field[Any]) -> bool:
    return "added later" in item.metadata and getattr(layer, item.name) == item.default


def check_sizes(layer: Layer, **ranges: tuple[int, int]) -> None:
    """Check that settings are whole numbers within their ranges (lowest, highest).

    Raises
    ------
    ValueError
        If one is not.
    """
    for name, (low, high) in ranges.items():
        value = getattr(layer, name)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{type(layer).__name__} takes {low} to {high} as its {name}, not {value!r}")


def images_only(layer: Layer, input_shape: Shape) -> Shape:
    """Return the shape if it is that of images with channels.

    Raises
    ------
    ValueError
        If the shape does not have three dimensions.
    """
    if len(input_shape) != 3:
        kind = type(layer).__name__
        raise ValueError(f"{kind} takes images of shape (height, width, channels), not samples of shape {input_shape}")
    return input_shape
