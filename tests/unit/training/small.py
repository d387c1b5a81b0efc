"""Small training set-ups: a part of MNIST, and recipes for it."""

from collections.abc import Iterable
from typing import Any

from digitpad.datasets.dataset import Dataset, Digits, mnist
from digitpad.training.events import EpochDone, Progress, Result, StepDone
from digitpad.training.recipe import Recipe


def small_dataset(n_training: int = 2000, test: Digits | None = None) -> Dataset:
    mnist_dataset = mnist()
    return Dataset(
        "small",
        mnist_dataset.training[:n_training],
        mnist_dataset.validation[:500],
        mnist_dataset.test[:500] if test is None else test,
        mnist_dataset.sha256,
    )


def small_recipe(**settings: Any) -> Recipe:
    """Return a recipe of 784-32-10 for three epochs of 40 steps; ``settings`` are dotted keys with ``__`` for dots."""
    recipe = Recipe.from_dict(
        {"name": "small", "network": {"hidden": [32]}, "training": {"epochs": 3, "batch_size": 50}}
    )
    return recipe.with_values({key.replace("__", "."): value for key, value in settings.items()})


def epochs(records: Iterable[Progress]) -> list[EpochDone]:
    return [record for record in records if isinstance(record, EpochDone)]


def steps(records: Iterable[Progress]) -> list[StepDone]:
    return [record for record in records if isinstance(record, StepDone)]


def result(records: Iterable[Progress]) -> Result:
    """Return the last record, which is the only `Result`."""
    *others, last = records
    assert isinstance(last, Result)
    assert not any(isinstance(record, Result) for record in others)
    return last
