"""Dataset summary: image counts, sample images and mean images per class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.dataset import Dataset
from digitpad.datasets.digits import SIDE

N_SAMPLES = 8
PARTS = ("training", "validation", "test")
_CHUNK = 16_384


@dataclass(frozen=True, eq=False)
class DatasetSummary:
    """Summary of a dataset.

    Attributes
    ----------
    name, format, sha256, class_names, notes, skipped
        As in `Dataset`.
    counts : ndarray of int, shape (3, n_classes)
        Number of images of each class in the training, validation and test set.
    samples : ndarray of uint8, shape (n_classes, N_SAMPLES, 28, 28)
        Training images of each class, drawn with a fixed seed; black if a class has fewer. As below, test images if
        there are no training images.
    means : ndarray of uint8, shape (n_classes, 28, 28)
        Mean training image of each class.
    mean : ndarray of uint8, shape (28, 28)
        Mean of all training images.
    """

    name: str
    format: str
    sha256: str
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    skipped: tuple[str, ...]
    counts: NDArray[np.int64]
    samples: NDArray[np.uint8]
    means: NDArray[np.uint8]
    mean: NDArray[np.uint8]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of images in the training, validation and test set."""
        training, validation, test = self.counts.sum(axis=1).tolist()
        return training, validation, test


def summarize(dataset: Dataset, seed: int = 1) -> DatasetSummary:
    """Summarise a dataset; ``seed`` chooses the sample images."""
    n_classes = len(dataset.class_names)
    parts = (dataset.training, dataset.validation, dataset.test)
    counts = np.stack([np.bincount(part.labels, minlength=n_classes) for part in parts])
    training = dataset.training if len(dataset.training) else dataset.test
    sums = _sums(training.images, training.labels, n_classes)
    n = np.maximum(counts[0], 1)[:, None, None]
    return DatasetSummary(
        name=dataset.name,
        format=dataset.format,
        sha256=dataset.sha256,
        class_names=dataset.class_names,
        notes=dataset.notes,
        skipped=dataset.skipped,
        counts=counts,
        samples=_samples(training.images, training.labels, n_classes, np.random.default_rng(seed)),
        means=np.rint(sums / n).astype(np.uint8),
        mean=np.rint(sums.sum(axis=0) / len(training)).astype(np.uint8),
    )


def _sums(images: NDArray[np.uint8], labels: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
    """Return the sum of each class's images, in chunks, so that a large dataset is never copied whole."""
    sums = np.zeros((n_classes, SIDE, SIDE), np.int64)
    for begin in range(0, len(images), _CHUNK):
        part, part_labels = images[begin : begin + _CHUNK], labels[begin : begin + _CHUNK]
        for label in np.unique(part_labels):
            sums[label] += part[part_labels == label].sum(axis=0, dtype=np.uint32)
    return sums


def _samples(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], n_classes: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    samples = np.zeros((n_classes, N_SAMPLES, SIDE, SIDE), np.uint8)
    for label in range(n_classes):
        rows = np.flatnonzero(labels == label)
        chosen = np.sort(rng.permutation(rows)[:N_SAMPLES])
        samples[label, : len(chosen)] = images[chosen]
    return samples
