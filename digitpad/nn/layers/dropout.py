"""Dropout: units that rest at random, so that none comes to rely on another."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats
from digitpad.nn.layers.base import Layer


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
            self._mask = np.multiply(kept, x.dtype.type(1 / (1 - self.rate)), out=self.scratch("mask", x.shape))
            # Not over x, from which an activation may yet compute its slope.
            return np.multiply(x, self._mask, out=self.scratch("y", x.shape))
        return x

    def input_gradient(self, dy: Floats) -> Floats:
        """Dx = dy · mask: what was dropped had no say, and what was kept was scaled."""
        if self._mask is not None:
            dy *= self._mask
        return dy
