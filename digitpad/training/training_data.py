"""Training data of a recipe: a dataset, extended by synthetic drawings."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from digitpad.class_names import DIGITS, describe_names
from digitpad.datasets.dataset import Dataset, Digits, load
from digitpad.datasets.synthetic.non_digits import non_digits
from digitpad.datasets.synthetic.pen_digits import pen_digits
from digitpad.errors import RecipeError
from digitpad.training.recipe import Recipe

VALIDATION_SHARE = 0.1
"""Pen digits added to the validation set, as a share of those added to the training set; drawn by other writers."""


def n_drawings(recipe: Recipe) -> int:
    """Return how many drawings `load_training_data` makes for a recipe; each takes about 0.7 ms."""
    return recipe.data.pen_digits + recipe.data.non_digits + n_validation_pen_digits(recipe)


def n_validation_pen_digits(recipe: Recipe) -> int:
    """Return how many pen digits `load_training_data` adds to the validation set, at its end."""
    return round(VALIDATION_SHARE * recipe.data.pen_digits)


def load_training_data(recipe: Recipe, tell: Callable[[int], None] = lambda done: None) -> Dataset:
    """Load the recipe's dataset, and add its synthetic drawings.

    Parameters
    ----------
    recipe : Recipe
    tell : callable, optional
        Progress callback. It receives the number of drawings done, of `n_drawings`, after every ten drawings, and 0
        now and then while the dataset is read. An exception that it raises ends the work.

    Raises
    ------
    DataError
        If the dataset cannot be read, or is too small to train on.
    RecipeError
        If drawings are requested for a dataset of other classes than digits.
    """
    dataset = load(recipe.data.set, lambda _n_read: tell(0), recipe.data.normalise)
    dataset.check_trainable()
    n_pen, n_none = recipe.data.pen_digits, recipe.data.non_digits
    if not n_pen and not n_none:
        return dataset
    if dataset.class_names != DIGITS:
        key = "data.pen_digits" if n_pen else "data.non_digits"
        raise RecipeError(
            key,
            f"can only be added to a dataset of digits, and {dataset.name} has "
            f"{describe_names(dataset.class_names)}; set it to 0",
        )
    seed = 2 * recipe.training.seed
    return replace(  # keeps the name and the test set; the recipe records the drawings
        dataset,
        training=_joined(
            dataset.training,
            pen_digits(n_pen, seed, tell),
            non_digits(n_none, seed, lambda done: tell(n_pen + done)),
        ),
        validation=_joined(
            dataset.validation,
            pen_digits(n_validation_pen_digits(recipe), seed + 1, lambda done: tell(n_pen + n_none + done)),
        ),
    )


def _joined(*parts: Digits) -> Digits:
    return Digits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))
