from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.conversion.preparation import ALWAYS, AUTO, NEVER, is_normalised, prepared
from digitpad.datasets.dataset import Digits, load_path, mnist
from digitpad.datasets.digits import RawPart, ReaderResult
from digitpad.formats.progress import ignore_progress
from digitpad.ink.drawing import Drawing
from tests.unit.datasets.set_files import write_images

DIGITS = mnist().training[:30]


def off_centre() -> Digits:
    """Return digits of half the size in a corner, as drawn in a paint program."""
    images = np.zeros_like(DIGITS.images)
    images[:, 1:15, 2:16] = DIGITS.images.reshape(-1, 14, 2, 14, 2).max(axis=(2, 4))
    return Digits(images, DIGITS.labels)


def test_mnist_is_normalised_and_own_drawings_are_not() -> None:
    """MNIST's images count as normalised, small digits in a corner do not, and clothing-like images are not changed."""
    assert is_normalised(mnist().test.images)
    assert not is_normalised(off_centre().images)
    assert is_normalised(np.full((20, 28, 28), 200, np.uint8))
    assert is_normalised(np.zeros((20, 28, 28), np.uint8))


@pytest.mark.parametrize("dark_ink", [False, True])
def test_own_images_are_normalised_like_drawings(tmp_path: Path, dark_ink: bool) -> None:
    """Images of 28 × 28 pixels that are not like MNIST's become exactly what ``predict`` reads, with a notice."""
    digits = off_centre()
    write_images(tmp_path, Digits(255 - digits.images, digits.labels) if dark_ink else digits)
    dataset = load_path(tmp_path)
    expected = {Drawing.from_pixels(image).rasterize().tobytes() for image in digits.images}
    assert {image.tobytes() for image in dataset.all.images} == expected
    assert any("30 images are not scaled and centred like MNIST's, so they were normalised" in n for n in dataset.notes)


def test_normalisation_can_be_chosen(tmp_path: Path) -> None:
    """With "never", images are unchanged, with a notice; with "always", even normalised ones are prepared."""
    write_images(tmp_path, off_centre())
    unchanged = load_path(tmp_path, normalise=NEVER)
    assert {image.tobytes() for image in unchanged.all.images} == {image.tobytes() for image in off_centre().images}
    assert any("were used unchanged" in note for note in unchanged.notes)
    part = RawPart(DIGITS.images[:3], DIGITS.labels[:3], tmp_path)
    always = prepared(ReaderResult(part, None, "x"), ALWAYS, ignore_progress)
    assert always.training is not None
    np.testing.assert_array_equal(always.training.images[0], Drawing.from_pixels(DIGITS.images[0]).rasterize())


def test_known_and_prepared_images_are_not_normalised(tmp_path: Path) -> None:
    """Images of a known dataset, images of non-characters, and already prepared images are not normalised."""
    digits = off_centre()
    known = ReaderResult(RawPart(digits.images, digits.labels, tmp_path), None, "x", {"0": "T-shirt/top"})
    words = ReaderResult(RawPart(digits.images, digits.labels, tmp_path, [f"place {n}" for n in range(10)]), None, "x")
    done = RawPart(digits.images, digits.labels, tmp_path, prepared=np.ones(30, bool))
    for result in (known, words, ReaderResult(done, None, "x")):
        found = prepared(result, AUTO, ignore_progress)
        assert found.training is not None
        np.testing.assert_array_equal(found.training.images, digits.images)
        assert found.notes == ()


def test_a_black_border_is_cut_off(tmp_path: Path) -> None:
    """Images of 32 × 32 pixels with a black border, as LeNet takes them, give the original images."""
    part = RawPart(np.pad(DIGITS.images, ((0, 0), (2, 2), (2, 2))), DIGITS.labels, tmp_path)
    found = prepared(ReaderResult(part, None, "x"), AUTO, ignore_progress)
    assert found.training is not None
    np.testing.assert_array_equal(found.training.images, DIGITS.images)
    assert "black border" in found.notes[0]
