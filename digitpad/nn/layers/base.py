"""What a layer is: a function of a batch that knows the gradient of the loss through itself.

Below, x is a layer's input, y its output, and dx, dy the gradients of the loss with respect to them. A layer may write
dx over dy. `ReLU` alone writes y over x, which saves memory traffic: where it changes what the layer before may keep,
the gradient that comes back is 0.

A batch of n samples is an array of shape (n, ...), with one exception: images with channels, samples of shape
(height, width, channels), lie in memory as (height, n, width, channels). A window that slides over the rows then is a
slice of the batch, and only the windows along the width must be gathered for a convolution.
"""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from digitpad.nn.arrays import Floats, Scratch, Shape


class Layer:
    """A step of a network: ``forward``, and the two halves of backpropagation.

    A subclass is a dataclass whose fields are its settings, which it checks, as they may come from a file. Before use,
    a network calls `bind` with views of its flat vectors, in which this layer's parameters and gradients live.
    """

    weights: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters that multiply the input: what penalties and weight decay keep small."""

    observes: bool = True
    """Whether `forward` may keep averages of what it sees in training; of a network's twins, one alone does."""

    parameters: Mapping[str, Floats]
    gradients: Mapping[str, Floats]
    scratch: Scratch

    def bind(self, parameters: Mapping[str, Floats], gradients: Mapping[str, Floats], scratch: Scratch) -> None:
        """Take the arrays to work on; their shapes are those of `parameter_shapes`."""
        self.parameters, self.gradients, self.scratch = parameters, gradients, scratch

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """The shape of each parameter by name; empty for a layer that learns nothing."""
        return {}

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of one sample of y, given that of one sample of x.

        Raises
        ------
        ValueError
            If samples of that shape cannot be an input.
        """
        return input_shape

    def n_held(self, input_shape: Shape) -> int:
        """How many numbers it keeps for one sample."""
        return math.prod(self.output_shape(input_shape))

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters their first values."""

    def forward(self, x: Floats, training: bool) -> Floats:
        """Return y for the batch x; ``training`` is for layers that behave differently then."""
        raise NotImplementedError

    def write_gradients(self, dy: Floats) -> None:
        """Write the loss's gradient with respect to each parameter into ``gradients``; leaves dy as it is."""

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx for the batch last seen by `forward`.

        Where that was in training, `write_gradients` was called before, with the same dy.
        """
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What builds this layer anew: its class's name as ``type``, and its fields."""
        return {
            "type": type(self).__name__,
            **{field.name: getattr(self, field.name) for field in fields(self)},  # type: ignore[arg-type]
        }


def images_only(layer: Layer, input_shape: Shape) -> Shape:
    """The shape, if it is one of images with channels; else a ValueError."""
    if len(input_shape) != 3:
        kind = type(layer).__name__
        raise ValueError(f"{kind} takes images of shape (height, width, channels), not samples of shape {input_shape}")
    return input_shape
