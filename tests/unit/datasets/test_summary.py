from pathlib import Path

import numpy as np

from digitpad.datasets.dataset import Digits, load_path, mnist
from digitpad.datasets.summary import N_SAMPLES, summarize
from tests.unit.datasets.idx_files import random_digits, write_folder


def test_built_in_digits_are_counted() -> None:
    """The counts are those of NumPy's bincount for each part."""
    summary, dataset = summarize(mnist()), mnist()
    assert summary.sizes == (50_000, 10_000, 10_000)
    for counts, part in zip(summary.counts, (dataset.training, dataset.validation, dataset.test), strict=True):
        np.testing.assert_array_equal(counts, np.bincount(part.labels))


def test_means_are_computed_from_the_training_images() -> None:
    """Mean images, per class and overall, are rounded means of the training images."""
    summary, training = summarize(mnist()), mnist().training
    np.testing.assert_allclose(summary.mean, training.images.mean(axis=0), atol=0.51)
    for label in (0, 7):
        expected = training.images[training.labels == label].mean(axis=0)
        np.testing.assert_allclose(summary.means[label], expected, atol=0.51)


def test_samples_are_training_images_of_their_class() -> None:
    """Samples are training images of their class, and the same on each call."""
    summary, again, training = summarize(mnist()), summarize(mnist()), mnist().training
    np.testing.assert_array_equal(summary.samples, again.samples)
    for label in range(10):
        known = {image.tobytes() for image in training.images[training.labels == label]}
        assert all(image.tobytes() in known for image in summary.samples[label])


def test_missing_samples_and_means_are_black(tmp_path: Path) -> None:
    """Missing samples and means are black."""
    digits = random_digits(60)
    some = Digits(digits.images, np.arange(60, dtype=np.uint8) % 12)  # five of each class for training and validation
    folder = write_folder(tmp_path / "emnist-byclass", some, some)
    summary = summarize(load_path(folder))
    assert (len(summary.class_names), summary.counts.shape) == (62, (3, 62))
    n = int(summary.counts[0, 3])
    assert 0 < n < N_SAMPLES
    assert summary.samples[3, :n].any(axis=(1, 2)).all()
    assert not summary.samples[3, n:].any()
    assert not summary.samples[12:].any()
    assert not summary.means[12:].any()
