"""Gradients by central differences, against which the ones by backpropagation are held."""

from collections.abc import Callable

import numpy as np

from digitpad.nn.arrays import Floats


def numerical_gradient(function: Callable[[], float], variables: Floats, h: float = 1e-5) -> Floats:
    """The gradient of ``function`` with respect to each element of ``variables``, which it reads; error O(h²)."""
    gradient = np.zeros_like(variables)
    for index in np.ndindex(variables.shape):
        kept = variables[index]
        variables[index] = kept + h
        above = function()
        variables[index] = kept - h
        below = function()
        variables[index] = kept
        gradient[index] = (above - below) / (2 * h)
    return gradient
