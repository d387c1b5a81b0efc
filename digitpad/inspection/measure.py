"""How good edited weights are, told while it is found out."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from digitpad.datasets.dataset import Dataset
from digitpad.nn.parallel import DataParallel
from digitpad.weights.native_format import Weights


@dataclass(frozen=True)
class PartScore:
    """Of some images, how many are read and how many of them right."""

    n_right: int
    n_read: int
    n: int

    @property
    def accuracy(self) -> float:
        """The share of those read that is right."""
        return self.n_right / max(1, self.n_read)

    @property
    def is_whole(self) -> bool:
        """Whether all are read."""
        return self.n_read == self.n


@dataclass(frozen=True)
class MeasuredAccuracy:
    """What is known so far: of the validation images, by which to choose, and of the test images."""

    validation: PartScore
    test: PartScore

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to read."""
        return self.validation.is_whole and self.test.is_whole


def measure(
    weights: Weights, dataset: Dataset, n_threads: int = 1
) -> Generator[MeasuredAccuracy, None, MeasuredAccuracy]:
    """Read the validation and the test images, a chunk of each in turn, so that both figures are there at once.

    Labels are places among the classes of the weights.
    """
    parts = [dataset.validation, dataset.test]
    n_right, n_read = [0, 0], [0, 0]

    def so_far() -> MeasuredAccuracy:
        return MeasuredAccuracy(*(PartScore(*counts) for counts in zip(n_right, n_read, map(len, parts), strict=True)))

    with DataParallel(weights.network(), n_threads) as network:
        while not so_far().is_whole:
            for i, digits in enumerate(parts):
                some = digits[n_read[i] : n_read[i] + network.chunk]
                if len(some):
                    n_right[i] += int(np.count_nonzero(network.forward(some.images).argmax(axis=1) == some.labels))
                    n_read[i] += len(some)
            yield so_far()
    return so_far()
