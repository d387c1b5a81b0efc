import numpy as np
import pytest

from digitpad.datasets.synthetic.glyphs import draw, kinds
from digitpad.datasets.synthetic.non_digits import PER_WRITER, non_digits
from digitpad.datasets.synthetic.pen import writers
from digitpad.ink.raster import rasterize
from digitpad.nn.losses import NONE


def test_labels_are_none() -> None:
    """The requested number of drawings are labelled `NONE`, and none is blank."""
    drawings = non_digits(305, seed=1)
    assert drawings.images.shape == (305, 28, 28)
    assert drawings.images.dtype == drawings.labels.dtype == np.uint8
    assert set(drawings.labels.tolist()) == {NONE}
    assert drawings.images.any(axis=(1, 2)).all()


def test_same_seed_gives_the_same_drawings() -> None:
    """With the same seed, a larger set starts with the smaller one; with another seed, most drawings differ."""
    few, many, other = non_digits(25, seed=1), non_digits(40, seed=1), non_digits(25, seed=2)
    np.testing.assert_array_equal(few.images, many.images[:25])
    assert (few.images == other.images).all(axis=(1, 2)).mean() < 0.2  # some dots are identical


def test_kinds_can_be_chosen() -> None:
    """Only chosen kinds are drawn, and an unknown kind raises KeyError."""
    dots = non_digits(60, seed=1, only=["dot"])
    assert sum(np.ptp(np.nonzero(image)[0]) < 6 for image in dots.images) > 30
    with pytest.raises(KeyError):
        non_digits(1, seed=1, only=["7"])


def test_drawings_are_rasterised_like_strokes() -> None:
    """Drawings are rasterised like strokes on the pad, with the writer's pen."""
    drawings = non_digits(100, seed=1, only=["heart"])
    for row, (writer, rng) in zip(range(0, 100, PER_WRITER), writers(1), strict=False):
        rng.random()
        expected = rasterize(draw("heart", rng, writer), writer.pen_radius_px)
        np.testing.assert_array_equal(drawings.images[row], expected)


def test_there_are_many_kinds() -> None:
    """There are over 100 kinds, each below 5 % of all drawings."""
    assert len(kinds()) > 100
    assert max(kinds().values()) < 0.05


def test_zero_drawings_give_an_empty_set() -> None:
    """Zero drawings give an empty set."""
    assert len(non_digits(0, seed=1)) == 0
