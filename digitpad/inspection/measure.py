"""Accuracy of edited weights, with intermediate results."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from digitpad.datasets.dataset import Dataset
from digitpad.nn.parallel import DataParallel
from digitpad.weights.native_format import Weights


@dataclass(frozen=True)
class PartScore:
    """Counts of correct predictions, images evaluated so far, and images in total."""

    n_right: int
    n_read: int
    n: int

    @property
    def accuracy(self) -> float:
        """Accuracy on the images evaluated so far; 0 if there are none."""
        return self.n_right / max(1, self.n_read)

    @property
    def is_whole(self) -> bool:
        """Whether all images have been evaluated."""
        return self.n_read == self.n


@dataclass(frozen=True)
class MeasuredAccuracy:
    """Accuracy so far on the validation set and on the test set."""

    validation: PartScore
    test: PartScore

    @property
    def is_whole(self) -> bool:
        """Whether both sets have been evaluated completely."""
        return self.validation.is_whole and self.test.is_whole


def measure(
    weights: Weights, dataset: Dataset, n_threads: int = 1
) -> Generator[MeasuredAccuracy, None, MeasuredAccuracy]:
    """Evaluate the validation and test sets, one chunk of each in turn, and yield both accuracies so far.

    The labels of the dataset must be indices into the class names of the weights.
    """
    parts = [dataset.validation, dataset.test]
    n_right, n_read = [0, 0], [0, 0]

    def current_accuracy() -> MeasuredAccuracy:
        return MeasuredAccuracy(*(PartScore(*counts) for counts in zip(n_right, n_read, map(len, parts), strict=True)))

    with DataParallel(weights.network(), n_threads) as network:
        while not current_accuracy().is_whole:
            for i, digits in enumerate(parts):
                chunk = digits[n_read[i] : n_read[i] + network.chunk]
                if len(chunk):
                    n_right[i] += int(np.count_nonzero(network.forward(chunk.images).argmax(axis=1) == chunk.labels))
                    n_read[i] += len(chunk)
            yield current_accuracy()
    return current_accuracy()
