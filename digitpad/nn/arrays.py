"""Array types of the network, and memory that is allocated once and reused at every step."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Shape = tuple[int, ...]


class Scratch:
    """Named scratch arrays that are kept between calls, so that only the first training step allocates memory.

    The memory for a name grows to the largest shape requested. A smaller batch gets a view of its beginning.
    The content of an array is valid only until its name is requested again.
    """

    def __init__(self, dtype: DTypeLike = np.float32) -> None:
        self._dtype = np.dtype(dtype)
        self._memory: dict[str, NDArray[Any]] = {}
        self._views: dict[str, NDArray[Any]] = {}

    def new(self) -> "Scratch":
        """Return separate scratch memory of the same type."""
        return Scratch(self._dtype)

    def __call__(self, name: str, shape: Shape, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Return the array for ``name``, of shape ``shape``; its content is whatever was last written there."""
        view = self._views.get(name)
        if view is None or view.shape != shape:
            size = math.prod(shape)
            memory = self._memory.get(name)
            if memory is None or memory.size < size:
                memory = self._memory[name] = np.empty(size, dtype or self._dtype)
            view = self._views[name] = memory[:size].reshape(shape)
        return view
