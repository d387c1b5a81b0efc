"""How good a network is on digits it is shown."""

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
    """What gives logits: a network, or several threads of one."""

    @property
    def chunk(self) -> int:
        """How many samples it best reads at once."""

    def forward(self, samples: NDArray[Any], /) -> Floats:
        """Logits of shape (n_samples, n_classes)."""


@dataclass(frozen=True)
class Scores:
    """Share of digits read right, mean cross-entropy, and how many there were."""

    accuracy: float
    loss: float
    n: int


@dataclass(frozen=True)
class EvaluationProgress:
    """A sign of life between two chunks of an evaluation."""

    done: int
    total: int


def read_in_chunks(network: BatchPredictor, digits: Digits) -> Generator[EvaluationProgress, None, Floats]:
    """Read every digit, pausing after each chunk; the generator's value is the logits, (n_digits, n_classes)."""
    chunks = []
    for begin in range(0, len(digits), network.chunk):
        part = digits[begin : begin + network.chunk]
        with np.errstate(over="ignore", invalid="ignore"):  # a network that ran away says so by its loss
            chunks.append(network.forward(part.images).copy())
        yield EvaluationProgress(begin + len(part), len(digits))
    return np.concatenate(chunks)


def scores_of(logits: Floats, labels: Ints) -> Scores:
    """How well these logits fit the labels."""
    with np.errstate(over="ignore", invalid="ignore"):
        loss, _ = CrossEntropy()(logits, labels)
    return Scores(float((logits.argmax(axis=1) == labels).mean()), loss, len(labels))


def evaluate_in_chunks(network: BatchPredictor, digits: Digits) -> Generator[EvaluationProgress, None, Scores]:
    """Score ``network``, pausing after each chunk; the generator's value is the scores."""
    logits = yield from read_in_chunks(network, digits)
    return scores_of(logits, digits.labels)


def evaluate(network: BatchPredictor, digits: Digits) -> Scores:
    """Score ``network`` in one go."""
    return run_to_end(evaluate_in_chunks(network, digits))


_T = TypeVar("_T")


def run_to_end(work: Generator[Any, None, _T]) -> _T:
    """The value of a generator, run to its end."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            value: _T = stop.value
            return value


def relabelled(dataset: Dataset, weights: Weights) -> Dataset:
    """The data set, with labels that are places among the classes of weights.

    Raises
    ------
    DataError
        If the set has a class that the weights do not know.
    """
    class_names = weights.class_names
    if dataset.class_names == class_names:
        return dataset
    unknown = [name for name in dataset.class_names if name not in class_names]
    if unknown:
        not_known = "none" if len(unknown) == len(dataset.class_names) else f"all but {describe_names(unknown)}"
        raise DataError(
            dataset.name,
            f"has the classes {describe_names(dataset.class_names)}, but {weights.name} knows "
            f"{not_known}: it tells {describe_names(class_names)} apart. Choose data of those classes, or weights that were trained on "
            f"{dataset.name}",
        )
    places = np.array([class_names.index(name) for name in dataset.class_names], np.uint8)
    training, validation, test = (
        Digits(part.images, places[part.labels]) for part in (dataset.training, dataset.validation, dataset.test)
    )
    return replace(dataset, training=training, validation=validation, test=test, class_names=class_names)


def interval(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of n (Wilson, 1927)."""
    z = 1.959964
    middle, spread = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)
