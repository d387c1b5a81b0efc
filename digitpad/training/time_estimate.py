"""About how long a training will take on this machine."""

import functools
import time

import numpy as np

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.augmentation.distortions import Erasing, Noise, Thickness, Warp
from digitpad.training.recipe import Recipe

N_IMAGES = 50_000  # of the built-in training set


def estimate_seconds(recipe: Recipe) -> float:
    """Seconds for the whole recipe on the built-in data set; good to within a factor of two."""
    plan = recipe.plan
    # The products run forward once and backward twice, and what lies between them some 20 times over each number.
    products = 3 * plan.n_products * _seconds_per_multiplication()
    passes = 20 * plan.n_activations * _SECONDS_PER_ELEMENT
    an_image = products + passes + 3e-6 + _seconds_augmenting(recipe.augmentation)
    a_step = 1e-4 + 10 * plan.n_parameters * _SECONDS_PER_ELEMENT
    n_made = recipe.data.pen_digits + recipe.data.non_digits
    n_images = N_IMAGES + n_made
    n_steps = n_images / recipe.training.batch_size
    return n_made * _SECONDS_PER_DRAWING + recipe.training.epochs * (n_images * an_image + n_steps * a_step)


def _seconds_augmenting(augmentation: Augmentation) -> float:
    """For one image, as `tests/benchmarks/augmentation.py` measures it."""
    distortions = sum(_SECONDS_DISTORTING[type(distortion)] for distortion in augmentation.distortions())
    return distortions + (4.5e-6 if augmentation.elastic_px else 0)


_SECONDS_DISTORTING: dict[type, float] = {Warp: 7e-6, Thickness: 2e-6, Noise: 7e-6, Erasing: 1e-6}
_SECONDS_PER_DRAWING = 8e-4
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
    return min(trials) / (128 * 784 * 256)  # the others may have waited for another program
