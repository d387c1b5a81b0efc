"""Input preprocessing layers (scaling, thresholding, flattening) and the fully connected layer."""

import math
from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.layers.base import Layer

MAX_UNITS = 65_536


@dataclass
class Rescale(Layer):
    """Input scaling: y = scale · x + offset, which turns pixels 0..255 into the network's input range."""

    scale: float = 1 / 255
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and math.isfinite(self.offset)):
            raise ValueError(f"Rescale takes finite numbers, not {self.scale} and {self.offset}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y = self.scratch("y", x.shape)
        np.copyto(y, x)
        y *= self.scale
        if self.offset:
            y += self.offset
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = scale · dy."""
        dy *= self.scale
        return dy


@dataclass
class Binarize(Layer):
    """Thresholding: y = 1 where x > threshold, else 0, for networks that were trained on binary images."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise ValueError(f"Binarize takes a finite threshold, not {self.threshold}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y = self.scratch("y", x.shape)
        np.copyto(y, x > self.threshold)
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = 0: y is constant except at the threshold, where it has no slope."""
        dy.fill(0)
        return dy


@dataclass
class Flatten(Layer):
    """Flatten each sample to one dimension."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._shape = x.shape
        if x.ndim == 4:  # in (height, n, width, channels), a sample is not contiguous
            height, n, width, channels = x.shape
            y = self.scratch("y", (n, height, width, channels))
            y[...] = x.swapaxes(0, 1)
            x = y
        return x.reshape(len(x), -1)

    def input_gradient(self, dy: Floats) -> Floats:
        if len(self._shape) == 4:
            height, n, width, channels = self._shape
            dx = self.scratch("dx", self._shape)
            dx[...] = dy.reshape(n, height, width, channels).swapaxes(0, 1)
            return dx
        return dy.reshape(self._shape)


@dataclass
class Linear(Layer):
    """Fully connected layer: y = x W + b, with W of shape (n_inputs, units) and b of shape (units,).

    A batch may have fewer columns than W has rows: the missing inputs are the last ones, and count as 0.
    """

    units: int
    initializer: str = "he_normal"

    weights = ("weight",)

    def __post_init__(self) -> None:
        if type(self.units) is not int or not 1 <= self.units <= MAX_UNITS:
            raise ValueError(f"Linear takes 1 to {MAX_UNITS} units, not {self.units!r}")
        if self.initializer not in INITIALIZERS:
            raise ValueError(f"unknown initializer {self.initializer!r}; supported: {', '.join(INITIALIZERS)}")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        if len(input_shape) != 1:
            raise ValueError(
                f"Linear takes one-dimensional samples, not samples of shape {input_shape}; put Flatten before it"
            )
        return {"weight": (input_shape[0], self.units), "bias": (self.units,)}

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.units,)

    def initialize(self, rng: np.random.Generator) -> None:
        weight = self.parameters["weight"]
        fan_in, fan_out = weight.shape
        INITIALIZERS[self.initializer](weight, fan_in, fan_out, rng)
        self.parameters["bias"].fill(0)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x = x
        weight = self.parameters["weight"][: x.shape[1]]
        y: Floats = np.matmul(x, weight, out=self.scratch("y", (len(x), self.units)))
        y += self.parameters["bias"]
        return y

    def write_gradients(self, dy: Floats) -> None:
        """Write dW = xᵀ dy, as W_ij connects only x_i and y_j, and db, the sum of dy over the batch.

        The bias is added to each row, so its gradient is a sum over the rows. The gradient for missing inputs is 0.
        """
        gradient, n_inputs = self.gradients["weight"], self._x.shape[1]
        np.matmul(self._x.T, dy, out=gradient[:n_inputs])
        gradient[n_inputs:] = 0
        np.add.reduce(dy, axis=0, out=self.gradients["bias"])

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy Wᵀ: each input receives the gradient of every unit, times the weight between them."""
        weight = self.parameters["weight"][: self._x.shape[1]]
        dx: Floats = np.matmul(dy, weight.T, out=self.scratch("dx", self._x.shape))
        return dx
