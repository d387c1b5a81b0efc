"""The layers. Each is a function of a batch, and knows the gradient of the loss through itself.

Below, x is a layer's input, y its output, and dx, dy the gradients of the loss with respect to them. A layer may write
its result over its input, and dx over dy, where that saves memory traffic; whoever needs an array later keeps a copy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from digitpad.nn.arrays import Floats, Scratch, Shape
from digitpad.nn.initializers import INITIALIZERS

MAX_UNITS = 65_536


class Layer:
    """A step of a network: ``forward``, and the two halves of backpropagation.

    A subclass is a dataclass whose fields are its settings, which it checks, as they may come from a file. Before use,
    a network calls `bind` with views of its flat vectors, in which this layer's parameters and gradients live.
    """

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

    def initialize(self, rng: np.random.Generator) -> None:
        """Give the parameters their first values."""

    def forward(self, x: Floats, training: bool) -> Floats:
        """Return y for the batch x; ``training`` is for layers that behave differently then."""
        raise NotImplementedError

    def write_gradients(self, dy: Floats) -> None:
        """Write the loss's gradient with respect to each parameter into ``gradients``; leaves dy as it is."""

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx for the batch last seen by `forward`."""
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What builds this layer anew: its class's name as ``type``, and its fields."""
        return {
            "type": type(self).__name__,
            **{field.name: getattr(self, field.name) for field in fields(self)},  # type: ignore[arg-type]
        }


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
class Flatten(Layer):
    """Each sample as one row, whatever its shape."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (int(np.prod(input_shape)),)

    def forward(self, x: Floats, training: bool) -> Floats:
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def input_gradient(self, dy: Floats) -> Floats:
        return dy.reshape(self._shape)


@dataclass
class Linear(Layer):
    """y = x W + b, with W of shape (n_inputs, units) and b of shape (units,)."""

    units: int
    initializer: str = "he_normal"

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


@dataclass
class ReLU(Layer):
    """y = max(x, 0)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.maximum(x, 0, out=x)
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy where y > 0, else 0: the slope is 1 or 0, and the output tells which."""
        dy *= np.greater(self._y, 0, out=self.scratch("active", dy.shape, np.bool_))
        return dy


@dataclass
class LeakyReLU(Layer):
    """y = x where x > 0, else alpha · x, so that no unit falls silent for good (Maas et al., 2013); 0 ≤ alpha < 1."""

    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < 1:
            raise ValueError(f"LeakyReLU takes an alpha of 0 to below 1, not {self.alpha}")

    def forward(self, x: Floats, training: bool) -> Floats:
        leak = np.multiply(x, x.dtype.type(self.alpha), out=self.scratch("leak", x.shape))
        y: Floats = np.maximum(x, leak, out=x)
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy where y > 0, else alpha · dy; y has the sign of x, as alpha is not negative."""
        slope = self.scratch("leak", dy.shape)
        np.multiply(np.greater(self._y, 0, out=self.scratch("active", dy.shape, np.bool_)), 1 - self.alpha, out=slope)
        slope += self.alpha
        dy *= slope
        return dy


@dataclass
class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), as (1 + tanh(x / 2)) / 2, which cannot overflow."""

    def forward(self, x: Floats, training: bool) -> Floats:
        x *= 0.5
        np.tanh(x, out=x)
        x += 1
        x *= 0.5
        self._y = x
        return x

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy · y (1 - y)."""
        slope = np.subtract(1, self._y, out=self.scratch("slope", dy.shape))
        slope *= self._y
        dy *= slope
        return dy


@dataclass
class Tanh(Layer):
    """y = tanh(x)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.tanh(x, out=x)
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy · (1 - y²)."""
        slope = np.multiply(self._y, self._y, out=self.scratch("slope", dy.shape))
        np.subtract(1, slope, out=slope)
        dy *= slope
        return dy


@dataclass
class GELU(Layer):
    """y = x · (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³): Hendrycks and Gimpel (2016), the form with tanh.

    It comes within 0.0005 of x · Φ(x), and NumPy has no Φ.
    """

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x = x
        gate = np.multiply(x, x, out=self.scratch("gate", x.shape))
        gate *= 0.044715
        gate += 1
        gate *= x
        gate *= math.sqrt(2 / math.pi)
        np.tanh(gate, out=gate)
        gate += 1
        gate *= 0.5
        self._gate = gate
        return np.multiply(x, gate, out=self.scratch("y", x.shape))

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy · (g + x g'), with the gate g = (1 + tanh u) / 2 and g' = 2 g (1 - g) u', as tanh' = 1 - tanh²."""
        x, gate = self._x, self._gate
        slope = np.multiply(x, x, out=self.scratch("slope", x.shape))
        slope *= 3 * 0.044715
        slope += 1
        slope *= x
        slope *= 2 * math.sqrt(2 / math.pi)
        slope *= gate
        slope *= np.subtract(1, gate, out=self.scratch("rest", x.shape))
        slope += gate
        dy *= slope
        return dy


@dataclass
class Dropout(Layer):
    """In training, each number is 0 with probability ``rate`` and the others grow by 1 / (1 - rate) (Srivastava, 2014).

    So the mean stays what it was, and outside training nothing changes at all.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout takes a rate of 0 to below 1, not {self.rate}")
        self._rng = np.random.default_rng(0)
        self._mask: Floats | None = None

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw from this generator from now on."""
        self._rng = rng

    def forward(self, x: Floats, training: bool) -> Floats:
        self._mask = None
        if training and self.rate:
            drawn = self._rng.random(dtype=np.float32, out=self.scratch("drawn", x.shape, np.float32))
            kept = np.greater_equal(drawn, self.rate, out=self.scratch("kept", x.shape, np.bool_))
            self._mask = np.divide(kept, 1 - self.rate, out=self.scratch("mask", x.shape))
            x *= self._mask
        return x

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy · mask: what was dropped had no say, and what was kept was scaled."""
        if self._mask is not None:
            dy *= self._mask
        return dy


LAYERS: dict[str, type[Layer]] = {
    cls.__name__: cls for cls in (Rescale, Flatten, Linear, ReLU, LeakyReLU, Sigmoid, Tanh, GELU, Dropout)
}
"""Every kind of layer by the name that `Layer.settings` gives it."""
