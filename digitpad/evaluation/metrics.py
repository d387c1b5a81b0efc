"""Accuracy and loss of a network on a dataset."""

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import describe_names
from digitpad.datasets.dataset import Dataset, Digits
from digitpad.errors import DataError
from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import CrossEntropy
from digitpad.weights.native_format import Weights


class BatchPredictor(Protocol):
    """Anything that computes logits for a batch: a network, or several threads with copies of it."""

    @property
    def chunk(self) -> int:
        """Preferred number of samples per batch."""

    def forward(self, samples: NDArray[Any], /) -> Floats:
        """Return logits of shape (n_samples, n_classes)."""


@dataclass(frozen=True)
class Scores:
    """Accuracy, mean cross-entropy, and number of digits."""

    accuracy: float
    loss: float
    n: int


@dataclass(frozen=True)
class EvaluationProgress:
    """Progress of an evaluation: number of digits evaluated so far, and in total."""

    done: int
    total: int


def read_in_chunks(network: BatchPredictor, digits: Digits) -> Generator[EvaluationProgress, None, Floats]:
    """Evaluate all digits in chunks, and yield progress after each; return logits of shape (n_digits, n_classes)."""
    chunks = []
    for begin in range(0, len(digits), network.chunk):
        part = digits[begin : begin + network.chunk]
        with np.errstate(over="ignore", invalid="ignore"):  # a diverged network is visible by its loss
            chunks.append(network.forward(part.images).copy())
        yield EvaluationProgress(begin + len(part), len(digits))
    return np.concatenate(chunks)


def scores_of(logits: Floats, labels: Ints) -> Scores:
    """Return the scores of logits for the given labels."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss, _ = CrossEntropy()(logits, labels)
    return Scores(float((logits.argmax(axis=1) == labels).mean()), loss, len(labels))


def evaluate_in_chunks(network: BatchPredictor, digits: Digits) -> Generator[EvaluationProgress, None, Scores]:
    """Evaluate a network in chunks, and yield progress after each; return the scores."""
    logits = yield from read_in_chunks(network, digits)
    return scores_of(logits, digits.labels)


def evaluate(network: BatchPredictor, digits: Digits) -> Scores:
    """Evaluate a network on all digits, and return the scores."""
    return run_to_end(evaluate_in_chunks(network, digits))


_T = TypeVar("_T")


def run_to_end(work: Generator[Any, None, _T]) -> _T:
    """Run a generator to its end, and return its value."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            value: _T = stop.value
            return value


def align_labels(dataset: Dataset, weights: Weights) -> Dataset:
    """Return the dataset with labels changed to indices into the class names of the weights.

    Raises
    ------
    DataError
        If the dataset has a class that the weights do not have.
    """
    class_names = weights.class_names
    if dataset.class_names == class_names:
        return dataset
    unknown = [name for name in dataset.class_names if name not in class_names]
    if unknown:
        known = "none of them" if len(unknown) == len(dataset.class_names) else f"all except {describe_names(unknown)}"
        raise DataError(
            dataset.name,
            f"has the classes {describe_names(dataset.class_names)}, but {weights.name} knows {known}; "
            f"its classes are {describe_names(class_names)}. Choose a dataset with these classes, "
            f"or a network trained on {dataset.name}",
        )
    indices = np.array([class_names.index(name) for name in dataset.class_names], np.uint8)
    training, validation, test = (
        Digits(part.images, indices[part.labels]) for part in (dataset.training, dataset.validation, dataset.test)
    )
    return replace(dataset, training=training, validation=validation, test=test, class_names=class_names)


def interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share of n digits (Wilson, 1927)."""
    z = 1.959964
    middle, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)
