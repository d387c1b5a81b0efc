"""Recognition of activations that exporters split into several operations, by their values at some points."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.layers import GELU, Layer, LeakyReLU, ReLU, Softplus, Swish, Tanh

Array = NDArray[Any]

POINTS = np.linspace(-4, 4, 65)

_erf = np.vectorize(math.erf, otypes=[float])

FUNCTIONS: dict[str, Callable[..., Array]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "HardSigmoid": lambda x: np.clip(x / 5 + 0.5, 0, 1),
    "Tanh": np.tanh,
    "Erf": _erf,
    "Exp": np.exp,
    "Log": np.log,
    "Neg": np.negative,
    "Softplus": lambda x: np.logaddexp(x, 0),
    "Relu": lambda x: np.maximum(x, 0),
    "Max": np.maximum,
    "Min": np.minimum,
    "Sqrt": np.sqrt,
    "Identity": lambda x: x,
    "Cast": lambda x: x,
}
"""Operations on each element, of one or two inputs."""

_sigmoid = FUNCTIONS["Sigmoid"]
_CANDIDATES: Sequence[tuple[Callable[[], Layer], Array, float]] = (
    (Swish, POINTS * _sigmoid(POINTS), 1e-4),
    (GELU, POINTS * (1 + _erf(POINTS / math.sqrt(2))) / 2, 2e-3),  # exact, or with tanh as in digitpad
    (ReLU, np.maximum(POINTS, 0), 1e-6),
    (LeakyReLU, np.where(POINTS > 0, POINTS, 0.01 * POINTS), 1e-6),
    (Tanh, np.tanh(POINTS), 1e-5),
    (Softplus, np.logaddexp(POINTS, 0), 1e-5),
)


def activation_of(values: Array) -> Layer | None:
    """Return the activation whose values at `POINTS` are these, or None."""
    if values.shape != POINTS.shape or not np.isfinite(values).all():
        return None
    return next((make() for make, wanted, margin in _CANDIDATES if np.abs(values - wanted).max() <= margin), None)


def apply(kind: str, attributes: Mapping[str, Any], inputs: Sequence[Array]) -> Array | None:
    """Return the values of an operation, or None if it is not one on each element."""
    if kind not in FUNCTIONS or not 1 <= len(inputs) <= 2 or (kind == "HardSigmoid" and attributes):
        return None
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[kind](*inputs), np.float64)
