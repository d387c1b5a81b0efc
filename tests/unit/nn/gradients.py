"""Numerical gradients by central differences, for comparison with backpropagation."""

from collections.abc import Callable

import numpy as np

from digitpad.nn.arrays import Floats


def numerical_gradient(function: Callable[[], float], variables: Floats, h: float = 1e-5) -> Floats:
    """Return the gradient of ``function`` with respect to each element of ``variables``; error O(h²).

    ``function`` must read ``variables``, which are changed and restored in place.
    """
    gradient = np.zeros_like(variables)
    for index in np.ndindex(variables.shape):
        value = variables[index]
        variables[index] = value + h
        above = function()
        variables[index] = value - h
        below = function()
        variables[index] = value
        gradient[index] = (above - below) / (2 * h)
    return gradient
