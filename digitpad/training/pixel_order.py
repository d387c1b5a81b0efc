"""Decision whether training sorts the pixels of its images."""

from digitpad.datasets.dataset import Dataset
from digitpad.datasets.sorted_pixels import SortedPixels
from digitpad.training.recipe import Recipe

MAX_COPY_BYTES = 100_000_000

LONGEST_PREFIX = 0.95
"""Pixels are not sorted if a typical batch has ink up to this share of them."""


def sorted_pixels_for(recipe: Recipe, dataset: Dataset) -> SortedPixels | None:
    """Return the sorted pixels of the training set, or None if training in the usual order is as fast or needs it.

    Convolutions need it, and augmentation changes which pixels carry ink. Sorting takes as long as it saves in one or
    two epochs. It depends on the recipe and the data alone, so that a resumed training decides alike.
    """
    dense = not any(isinstance(word, str) for word in recipe.network.hidden)
    images = dataset.training.images
    if not dense or recipe.augmentation or images.nbytes > MAX_COPY_BYTES:
        return None
    pixels = SortedPixels(images)
    return pixels if pixels.prefix_share(recipe.training.batch_size) < LONGEST_PREFIX else None
