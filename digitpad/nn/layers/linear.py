"""What makes numbers of pixels and rows of images, and the fully connected layer."""

import math
from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats, Shape
from digitpad.nn.initializers import INITIALIZERS
from digitpad.nn.layers.base import Layer

MAX_UNITS = 65_536


@dataclass
class Rescale(Layer):
    """y = scale · x + offset: pixels of 0..255 become the numbers that the network was trained on."""

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
        """Dx = scale · dy."""
        dy *= self.scale
        return dy


@dataclass
class Binarize(Layer):
    """y = 1 where x > threshold, else 0: ink or none, for networks that were trained on such images."""

    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise ValueError(f"Binarize takes a finite threshold, not {self.threshold}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y = self.scratch("y", x.shape)
        np.copyto(y, x > self.threshold)
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = 0: y is flat wherever it has a slope."""
        dy.fill(0)
        return dy


@dataclass
class Flatten(Layer):
    """Each sample as one row, whatever its shape."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._shape = x.shape
        if x.ndim == 4:  # (height, n, width, channels), where a sample is not in one piece
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
    """y = x W + b, with W of shape (n_inputs, units) and b of shape (units,)."""

    units: int
    initializer: str = "he_normal"

    weights = ("weight",)

    def __post_init__(self) -> None:
        if type(self.units) is not int or not 1 <= self.units <= MAX_UNITS:
            raise ValueError(f"Linear takes 1 to {MAX_UNITS} units, not {self.units!r}")
        if self.initializer not in INITIALIZERS:
            raise ValueError(f"{self.initializer!r} is none of the initializers {', '.join(INITIALIZERS)}")

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        if len(input_shape) != 1:
            raise ValueError(f"Linear takes rows of numbers, not samples of shape {input_shape}; put Flatten before it")
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
        y: Floats = np.matmul(x, self.parameters["weight"], out=self.scratch("y", (len(x), self.units)))
        y += self.parameters["bias"]
        return y

    def write_gradients(self, dy: Floats) -> None:
        """DW = xᵀ dy, for W_ij meets x_i and y_j alone; db sums dy over the batch, for b is added to each row."""
        np.matmul(self._x.T, dy, out=self.gradients["weight"])
        np.add.reduce(dy, axis=0, out=self.gradients["bias"])

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy Wᵀ: each input hears from every unit, through the weight that joins them."""
        dx: Floats = np.matmul(dy, self.parameters["weight"].T, out=self.scratch("dx", self._x.shape))
        return dx
