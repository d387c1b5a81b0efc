"""About how long a training will take on this machine."""

import functools
import time

import numpy as np

from digitpad.training.recipe import Recipe

N_IMAGES = 50_000  # of the built-in training set


def estimate_seconds(recipe: Recipe) -> float:
    """Seconds for the whole recipe on the built-in data set; good to within a factor of two."""
    # Forward, and twice backward, each parameter meets each image once; the rest is gathering and augmenting.
    an_image = 3 * recipe.n_parameters * _seconds_per_multiplication() + (1e-5 if recipe.augmentation else 3e-6)
    a_step = 1e-4 + 10 * recipe.n_parameters * _SECONDS_PER_ELEMENT
    n_steps = N_IMAGES / recipe.training.batch_size
    return recipe.training.epochs * (N_IMAGES * an_image + n_steps * a_step)


_SECONDS_PER_ELEMENT = 2.5e-10  # of a pass over an array that lies in the cache


@functools.cache
def _seconds_per_multiplication() -> float:
    """How long one multiplication and addition within a matrix product takes, measured once, in some milliseconds."""
    a, b = np.ones((128, 784), np.float32), np.ones((784, 256), np.float32)
    trials = []
    for _ in range(5):
        begin = time.perf_counter()
        a @ b
        trials.append(time.perf_counter() - begin)
    return sorted(trials)[2] / (128 * 784 * 256)
