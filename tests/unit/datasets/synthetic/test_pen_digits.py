import numpy as np

from digitpad.datasets.synthetic.pen import write, writers
from digitpad.datasets.synthetic.pen_digits import pen_digits
from digitpad.ink.raster import PEN_RADIUS_PX, rasterize


def test_digits_are_balanced() -> None:
    """The counts of the digits differ by at most 1."""
    digits = pen_digits(105, seed=1)
    assert digits.images.shape == (105, 28, 28)
    assert digits.images.dtype == digits.labels.dtype == np.uint8
    counts = np.bincount(digits.labels, minlength=10)
    assert counts.min() == 10
    assert counts.max() == 11


def test_same_seed_gives_the_same_digits() -> None:
    """With the same seed, a larger set starts with the smaller one; with another seed, all digits differ."""
    few, many, others = pen_digits(20, seed=1), pen_digits(30, seed=1), pen_digits(20, seed=2)
    np.testing.assert_array_equal(few.images, many.images[:20])
    np.testing.assert_array_equal(few.labels, many.labels[:20])
    assert not (few.images == others.images).all(axis=(1, 2)).any()


def test_digits_are_rasterised_like_strokes() -> None:
    """Digits are rasterised like strokes on the pad; most writers use the pad's pen."""
    digits = pen_digits(400, seed=1)
    same_pen = 0
    for row, (writer, rng) in zip(range(0, 400, 10), writers(1), strict=False):
        assert digits.images[row].tolist() == rasterize(write(0, rng, writer), writer.pen_radius_px).tolist()
        same_pen += writer.pen_radius_px == PEN_RADIUS_PX
    assert 20 < same_pen < 40


def test_zero_digits_give_an_empty_set() -> None:
    """Zero digits give an empty set."""
    assert len(pen_digits(0, seed=1)) == 0
