"""Names of activation layers."""

from collections.abc import Callable

from digitpad.nn.layers import ELU, GELU, Layer, LeakyReLU, ReLU, Sigmoid, Swish, Tanh

ACTIVATIONS: dict[str, tuple[Callable[[], Layer] | None, float]] = {
    "relu": (ReLU, 0.0),
    "sigmoid": (Sigmoid, 0.5),
    "tanh": (Tanh, 1.0),
    "leaky_relu": (LeakyReLU, 1.5),
    "swish": (Swish, 2.0),
    "elu": (ELU, 2.3),
    "gelu": (GELU, 2.5),
    "leaky_relu 0.1": (lambda: LeakyReLU(0.1), 2.6),
    "leaky_relu 0.2": (lambda: LeakyReLU(0.2), 2.7),
    "none": (None, 3.0),
}
"""For each name, the function that creates the layer (or None), and how uncommon it is; 0 is the most common."""

NAMES = {type(create()).__name__: name for name, (create, _) in reversed(ACTIVATIONS.items()) if create is not None}
"""Name of each activation layer, by its type; where several names differ only in the slope, the first one."""
