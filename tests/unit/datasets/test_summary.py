from pathlib import Path

import numpy as np

from digitpad.datasets.dataset import Digits, load_path, mnist
from digitpad.datasets.summary import N_SAMPLES, summarize
from tests.unit.datasets.idx_files import random_digits, write_folder


def test_built_in_digits_are_counted() -> None:
    """Each class in each part, as NumPy counts them."""
    found, dataset = summarize(mnist()), mnist()
    assert found.sizes == (50_000, 10_000, 10_000)
    for counts, part in zip(found.counts, (dataset.training, dataset.validation, dataset.test), strict=True):
        np.testing.assert_array_equal(counts, np.bincount(part.labels))


def test_means_are_those_of_the_training_images() -> None:
    """Of each class, and of all."""
    found, training = summarize(mnist()), mnist().training
    np.testing.assert_allclose(found.mean, training.images.mean(axis=0), atol=0.51)
    for label in (0, 7):
        expected = training.images[training.labels == label].mean(axis=0)
        np.testing.assert_allclose(found.means[label], expected, atol=0.51)


def test_samples_are_training_images_of_their_class() -> None:
    """The same ones each time."""
    found, again, training = summarize(mnist()), summarize(mnist()), mnist().training
    np.testing.assert_array_equal(found.samples, again.samples)
    for label in range(10):
        known = {image.tobytes() for image in training.images[training.labels == label]}
        assert all(image.tobytes() in known for image in found.samples[label])


def test_classes_with_few_images_or_none_leave_room(tmp_path: Path) -> None:
    """Black, where there is nothing to show."""
    digits = random_digits(60)
    some = Digits(digits.images, np.arange(60, dtype=np.uint8) % 12)  # five of each to train on and to choose by
    folder = write_folder(tmp_path / "emnist-byclass", some, some)
    found = summarize(load_path(folder))
    assert (len(found.class_names), found.counts.shape) == (62, (3, 62))
    n = int(found.counts[0, 3])
    assert 0 < n < N_SAMPLES
    assert found.samples[3, :n].any(axis=(1, 2)).all()
    assert not found.samples[3, n:].any()
    assert not found.samples[12:].any()
    assert not found.means[12:].any()
