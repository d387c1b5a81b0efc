"""Estimate of how long training takes on this machine."""

import functools
import time

import numpy as np

from digitpad.datasets.augmentation.augment import Augmentation
from digitpad.datasets.augmentation.distortions import Erasing, Noise, Thickness, Warp
from digitpad.training.recipe import Recipe

N_IMAGES = 50_000  # size of the built-in training set


def estimate_seconds(recipe: Recipe) -> float:
    """Return the seconds to train the recipe on the built-in dataset, to within a factor of two."""
    plan = recipe.plan
    # Matrix products run once forward and twice backward; other operations pass over each activation about 20 times.
    products = 3 * plan.n_products * _seconds_per_multiplication()
    passes = 20 * plan.n_activations * _SECONDS_PER_ELEMENT
    seconds_per_image = products + passes + 3e-6 + _seconds_augmenting(recipe.augmentation)
    seconds_per_step = 1e-4 + 10 * plan.n_parameters * _SECONDS_PER_ELEMENT
    n_synthetic = recipe.data.pen_digits + recipe.data.non_digits
    n_images = N_IMAGES + n_synthetic
    n_steps = n_images / recipe.training.batch_size
    seconds_per_epoch = n_images * seconds_per_image + n_steps * seconds_per_step
    return n_synthetic * _SECONDS_PER_DRAWING + recipe.training.epochs * seconds_per_epoch


def _seconds_augmenting(augmentation: Augmentation) -> float:
    """Return the seconds to augment one image, as measured by `tests/benchmarks/augmentation.py`."""
    distortions = sum(_SECONDS_DISTORTING[type(distortion)] for distortion in augmentation.distortions())
    return distortions + (4.5e-6 if augmentation.elastic_px else 0)


_SECONDS_DISTORTING: dict[type, float] = {Warp: 7e-6, Thickness: 2e-6, Noise: 7e-6, Erasing: 1e-6}
_SECONDS_PER_DRAWING = 8e-4
_SECONDS_PER_ELEMENT = 2.5e-10  # for one pass over an array in the cache


@functools.cache
def _seconds_per_multiplication() -> float:
    """Return the seconds per multiply-add of a matrix product, measured once in a few milliseconds."""
    a, b = np.ones((128, 784), np.float32), np.ones((784, 256), np.float32)
    trials = []
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        trials.append(time.perf_counter() - start)
    return min(trials) / (128 * 784 * 256)  # slower trials may have waited for another program
