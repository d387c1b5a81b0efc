"""Batches and networks shared by the network tests."""

import numpy as np
from numpy.typing import NDArray


def random_batch(n: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


LENET = ("5x5x32", "pool", "5x5x64", "pool", 128)
