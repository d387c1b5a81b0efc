"""What a recipe trains on: a data set, and besides it what pens might have written."""

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
"""So many pen digits as a share of those in training, by writers of their own, join the validation digits."""


def n_drawings(recipe: Recipe) -> int:
    """How many drawings `dataset_of` makes for a recipe, about 0.7 ms each."""
    return recipe.data.pen_digits + recipe.data.non_digits + round(VALIDATION_SHARE * recipe.data.pen_digits)


def dataset_of(recipe: Recipe, tell: Callable[[int], None] = lambda made: None) -> Dataset:
    """The recipe's data set, with what is made besides.

    Parameters
    ----------
    recipe : Recipe
    tell : callable, optional
        Hears every ten drawings how many of `n_drawings` there are, and 0 now and then while the set is read; what it
        raises ends the work.

    Raises
    ------
    DataError
        If the data set cannot be read.
    RecipeError
        If drawings are wanted, and the set is of something else than digits.
    """
    dataset = load(recipe.data.set, lambda _n_read: tell(0))
    n_pen, n_none = recipe.data.pen_digits, recipe.data.non_digits
    if not n_pen and not n_none:
        return dataset
    if dataset.class_names != DIGITS:
        key = "data.pen_digits" if n_pen else "data.non_digits"
        raise RecipeError(
            key,
            f"can be made besides digits alone, and {dataset.name} has "
            f"{describe_names(dataset.class_names)}; set it to 0",
        )
    seed = 2 * recipe.training.seed
    return replace(  # its name and test set stay; the recipe tells what was made
        dataset,
        training=_joined(
            dataset.training,
            pen_digits(n_pen, seed, tell),
            non_digits(n_none, seed, lambda made: tell(n_pen + made)),
        ),
        validation=_joined(
            dataset.validation,
            pen_digits(round(VALIDATION_SHARE * n_pen), seed + 1, lambda made: tell(n_pen + n_none + made)),
        ),
    )


def _joined(*parts: Digits) -> Digits:
    return Digits(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))
