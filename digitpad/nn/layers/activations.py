"""Activation functions: without them, a sequence of linear layers would be a single linear map."""

import math
from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.nn.layers.base import Layer, added_later


@dataclass
class ReLU(Layer):
    """Rectified linear unit: y = max(x, 0)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        # NumPy compares with a long row of zeros several times faster than with a scalar 0.
        zeros = self.scratch("zeros", x.shape[x.ndim // 2 :])
        zeros.fill(0)
        y: Floats = np.maximum(x, zeros, out=x)
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy where y > 0, else 0: the slope is 1 or 0, which the output shows."""
        dy *= np.greater(self._y, 0, out=self.scratch("active", dy.shape, np.bool_))
        return dy


@dataclass
class LeakyReLU(Layer):
    """Leaky ReLU: y = x where x > 0, else alpha · x, so that no unit dies (Maas et al., 2013); 0 ≤ alpha < 1."""

    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < 1:
            raise ValueError(f"LeakyReLU takes an alpha of 0 to below 1, not {self.alpha}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.multiply(x, x.dtype.type(self.alpha), out=self.scratch("y", x.shape))
        np.maximum(x, y, out=y)
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy where y > 0, else alpha · dy; y has the sign of x, as alpha is not negative."""
        active = np.greater(self._y, 0, out=self.scratch("active", dy.shape, np.bool_))
        slope = np.multiply(active, dy.dtype.type(1 - self.alpha), out=self.scratch("slope", dy.shape))
        slope += self.alpha
        dy *= slope
        return dy


@dataclass
class Sigmoid(Layer):
    """Sigmoid: y = 1 / (1 + exp(-x)), computed as (1 + tanh(x / 2)) / 2, which cannot overflow."""

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.multiply(x, x.dtype.type(0.5), out=self.scratch("y", x.shape))
        np.tanh(y, out=y)
        y += 1
        y *= 0.5
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy · y (1 - y)."""
        slope = np.subtract(1, self._y, out=self.scratch("slope", dy.shape))
        slope *= self._y
        dy *= slope
        return dy


@dataclass
class Tanh(Layer):
    """Hyperbolic tangent: y = tanh(x)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.tanh(x, out=self.scratch("y", x.shape))
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy · (1 - y²)."""
        slope = np.multiply(self._y, self._y, out=self.scratch("slope", dy.shape))
        np.subtract(1, slope, out=slope)
        dy *= slope
        return dy


@dataclass
class GELU(Layer):
    """GELU with the tanh approximation: y = x · (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³).

    See Hendrycks and Gimpel (2016). The approximation is within 0.0005 of x · Φ(x); NumPy has no Φ.
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
        """Return dx = dy · (g + x g') with the gate g = (1 + tanh u) / 2.

        As tanh' = 1 - tanh², the slope of the gate is g' = 2 g (1 - g) u'.
        """
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
class Swish(Layer):
    """Swish, also called SiLU: y = x · sigmoid(x) (Ramachandran et al., 2017; Elfwing et al., 2018)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x = x
        gate = np.multiply(x, x.dtype.type(0.5), out=self.scratch("gate", x.shape))
        np.tanh(gate, out=gate)
        gate += 1
        gate *= 0.5
        self._gate = gate
        return np.multiply(x, gate, out=self.scratch("y", x.shape))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy · (g + x g (1 - g)), with the gate g = sigmoid(x), whose slope is g (1 - g)."""
        slope = np.subtract(1, self._gate, out=self.scratch("slope", dy.shape))
        slope *= self._x
        slope += 1
        slope *= self._gate
        dy *= slope
        return dy


@dataclass
class ELU(Layer):
    """ELU: y = x where x > 0, else alpha · (exp(x) - 1) (Clevert et al., 2016); 0 < alpha ≤ 10."""

    alpha: float = added_later(1.0)

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 10:
            raise ValueError(f"ELU takes an alpha above 0, at most 10, not {self.alpha}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.minimum(x, 0, out=self.scratch("y", x.shape))
        np.expm1(y, out=y)
        if self.alpha != 1:
            y *= self.alpha
        y += np.maximum(x, 0, out=self.scratch("positive", x.shape))
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy where y > 0, else dy · alpha · exp(x), where that product equals y + alpha."""
        slope = np.minimum(self._y, 0, out=self.scratch("slope", dy.shape))
        slope += self.alpha
        if self.alpha != 1:
            np.copyto(slope, 1, where=self._y > 0)
        dy *= slope
        return dy


@dataclass
class Softplus(Layer):
    """Softplus: y = log(1 + exp(x)), a smooth ReLU (Dugas et al., 2001)."""

    def forward(self, x: Floats, training: bool) -> Floats:
        self._x = x
        return np.logaddexp(x, 0, out=self.scratch("y", x.shape))

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy · sigmoid(x), with the sigmoid as in `Sigmoid`."""
        slope = np.multiply(self._x, dy.dtype.type(0.5), out=self.scratch("slope", dy.shape))
        np.tanh(slope, out=slope)
        slope += 1
        slope *= 0.5
        dy *= slope
        return dy


@dataclass
class Clip(Layer):
    """Clipping: y = min(max(x, low), high), as in ReLU6 and in hard sigmoids."""

    low: float = 0.0
    high: float = 6.0

    def __post_init__(self) -> None:
        if not -1e6 <= self.low < self.high <= 1e6:
            raise ValueError(f"Clip takes a low bound below its high bound, not {self.low} and {self.high}")

    def forward(self, x: Floats, training: bool) -> Floats:
        y: Floats = np.clip(x, self.low, self.high, out=self.scratch("y", x.shape))
        self._y = y
        return y

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy where low < y < high, else 0."""
        dy *= (self._y > self.low) & (self._y < self.high)
        return dy
