"""Dropout: random units are set to 0 in training, so that units do not depend on each other."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.nn.layers.base import Layer


@dataclass
class Dropout(Layer):
    """Dropout with probability ``rate`` (Srivastava, 2014).

    In training, each activation is set to 0 with probability ``rate`` and the others are multiplied by 1 / (1 - rate),
    which keeps the mean. Outside training, the layer changes nothing.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout takes a rate of 0 to below 1, not {self.rate}")
        self._rng = np.random.default_rng(0)
        self._mask: Floats | None = None

    def initialize(self, rng: np.random.Generator) -> None:
        """Set the generator of all later random draws."""
        self._rng = rng

    def forward(self, x: Floats, training: bool) -> Floats:
        self._mask = None
        if training and self.rate:
            drawn = self._rng.random(dtype=np.float32, out=self.scratch("drawn", x.shape, np.float32))
            kept = np.greater_equal(drawn, self.rate, out=self.scratch("kept", x.shape, np.bool_))
            self._mask = np.multiply(kept, x.dtype.type(1 / (1 - self.rate)), out=self.scratch("mask", x.shape))
            # Do not overwrite x: the previous activation may need it to compute its slope.
            return np.multiply(x, self._mask, out=self.scratch("y", x.shape))
        return x

    def input_gradient(self, dy: Floats) -> Floats:
        """Return dx = dy · mask, as y = x · mask."""
        if self._mask is not None:
            dy *= self._mask
        return dy
