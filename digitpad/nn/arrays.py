"""The array types of the network, and memory that is allocated once and used at every step."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Shape = tuple[int, ...]


class Scratch:
    """Arrays by name, kept between calls, so that a training step allocates nothing after the first.

    A name's memory grows to the largest shape asked of it; a smaller batch gets a view of its beginning.
    What an array holds is only good until its name is asked for again.
    """

    def __init__(self, dtype: DTypeLike = np.float32) -> None:
        self._dtype = np.dtype(dtype)
        self._memory: dict[str, NDArray[Any]] = {}
        self._views: dict[str, NDArray[Any]] = {}

    def __call__(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """An array of ``shape`` with whatever was last written there."""
        view = self._views.get(name)
        if view is None or view.shape != shape:
            size = math.prod(shape)
            memory = self._memory.get(name)
            if memory is None or memory.size < size:
                memory = self._memory[name] = np.empty(size, dtype or self._dtype)
            view = self._views[name] = memory[:size].reshape(shape)
        return view
