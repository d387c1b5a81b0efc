from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.dataset import mnist
from digitpad.errors import RecipeError
from digitpad.nn.losses import NONE
from digitpad.training.recipe import Recipe
from digitpad.training.training_data import load_training_data
from tests.unit.datasets.idx_files import random_digits, write_folder


def test_dataset_without_synthetic_digits_is_unchanged() -> None:
    """Without synthetic digits, the dataset is returned unchanged."""
    assert load_training_data(Recipe()) is mnist()


def test_pen_digits_join_training_and_validation() -> None:
    """Pen digits are appended to the training and validation sets; the test set is unchanged."""
    dataset = load_training_data(Recipe().with_values({"data.pen_digits": 50}))
    whole = mnist()
    assert dataset.name == "MNIST"
    assert (len(dataset.training), len(dataset.validation)) == (50_050, 10_005)
    assert dataset.test is whole.test
    np.testing.assert_array_equal(dataset.training.images[:50_000], whole.training.images)
    np.testing.assert_array_equal(dataset.validation.labels[:10_000], whole.validation.labels)
    assert dataset.training.images[50_000:].any(axis=(1, 2)).all()


def test_validation_is_by_other_writers() -> None:
    """Validation and training share no pen digits, and another seed gives other digits."""
    recipe = Recipe().with_values({"data.pen_digits": 100})
    first, second = load_training_data(recipe), load_training_data(recipe.with_values({"training.seed": 2}))
    seen = {image.tobytes() for image in first.training.images[50_000:]}
    assert not any(image.tobytes() in seen for image in first.validation.images[10_000:])
    assert not any(image.tobytes() in seen for image in second.training.images[50_000:])


def test_non_digits_join_only_the_training_set() -> None:
    """Non-digits are added to the training set only."""
    dataset = load_training_data(Recipe().with_values({"data.non_digits": 20}))
    assert (len(dataset.training), len(dataset.validation)) == (50_020, 10_000)
    assert (dataset.training.labels[50_000:] == NONE).all()


@pytest.mark.parametrize("key", ["data.pen_digits", "data.non_digits"])
def test_synthetic_drawings_require_a_dataset_of_digits(tmp_path: Path, key: str) -> None:
    """Synthetic drawings for a dataset of other classes raise `RecipeError` before anything is drawn."""
    folder = write_folder(tmp_path / "fashion", random_digits(60), random_digits(20))
    recipe = Recipe().with_values({"data.set": str(folder), key: 10_000})
    with pytest.raises(RecipeError, match=r"fashion has T-shirt/top, Trouser, Pullover, … Ankle boot \(10 classes\)"):
        load_training_data(recipe)
    assert load_training_data(recipe.with_values({key: 0})).class_names[-1] == "Ankle boot"
