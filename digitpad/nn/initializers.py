"""Weight initialisers, scaled so that signals neither vanish nor explode from layer to layer."""

import math
from collections.abc import Callable

import numpy as np

from digitpad.nn.arrays import Floats

Initializer = Callable[[Floats, int, int, np.random.Generator], None]
"""Function that fills a weight array in place, given fan-in, fan-out and a random generator."""


def he_normal(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a normal distribution with variance 2 / fan_in, which keeps variance through ReLU (He et al., 2015)."""
    weight[...] = rng.normal(0.0, math.sqrt(2 / fan_in), weight.shape)


def he_uniform(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a uniform distribution with variance 2 / fan_in (He et al., 2015); its limit is sqrt(6 / fan_in)."""
    limit = math.sqrt(6 / fan_in)
    weight[...] = rng.uniform(-limit, limit, weight.shape)


def glorot_normal(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a normal distribution with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).

    This is a compromise between keeping the variance in the forward pass and in the backward pass.
    """
    weight[...] = rng.normal(0.0, math.sqrt(2 / (fan_in + fan_out)), weight.shape)


def glorot_uniform(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a uniform distribution with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    limit = math.sqrt(6 / (fan_in + fan_out))
    weight[...] = rng.uniform(-limit, limit, weight.shape)


def lecun_normal(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a normal distribution with variance 1 / fan_in (LeCun et al., 1998).

    This keeps the variance of a linear layer's output equal to that of its input.
    """
    weight[...] = rng.normal(0.0, math.sqrt(1 / fan_in), weight.shape)


def lecun_uniform(weight: Floats, fan_in: int, fan_out: int, rng: np.random.Generator) -> None:
    """Draw from a uniform distribution with variance 1 / fan_in (LeCun et al., 1998)."""
    limit = math.sqrt(3 / fan_in)
    weight[...] = rng.uniform(-limit, limit, weight.shape)


INITIALIZERS: dict[str, Initializer] = {
    initializer.__name__: initializer
    for initializer in (he_normal, he_uniform, glorot_normal, glorot_uniform, lecun_normal, lecun_uniform)
}
