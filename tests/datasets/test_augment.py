from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitpad.datasets.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import mnist
from tests.datasets.idx_files import random_digits

AMOUNTS = st.builds(
    Augmentation,
    rotate_deg=st.floats(0, 180),
    shift_px=st.floats(0, 14),
    scale=st.floats(0, 0.9),
    shear=st.floats(0, 1),
)


class AtTheEnd(np.random.Generator):
    """Draws the largest of what it may, so that each change is known."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.full(size, high, float)


def changed(augmentation: Augmentation, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return Augmenter(augmentation)(images, rng).copy()


def dot(y: int, x: int) -> NDArray[np.uint8]:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, y : y + 2, x : x + 2] = 200
    return image


def tilts_deg(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The direction in which each image's ink extends most."""
    y, x = np.indices(images.shape[1:]) - 13.5
    ink = images.astype(float)
    xx, yy, xy = ((ink * moment).sum(axis=(1, 2)) for moment in (x * x, y * y, x * y))
    tilts: NDArray[np.float64] = np.degrees(np.arctan2(2 * xy, xx - yy) / 2)
    return tilts


def test_no_amounts_change_nothing() -> None:
    """Each pixel is the one that was there."""
    images = random_digits(50).images
    np.testing.assert_array_equal(changed(Augmentation(), images, np.random.default_rng(1)), images)


def test_whole_pixels_move_ink_exactly() -> None:
    """A dot moved by three pixels each way is the same dot elsewhere."""
    moved = changed(Augmentation(shift_px=3), dot(10, 15), AtTheEnd())
    assert any(np.array_equal(moved, dot(10 + by, 15 + by)) for by in (-3, 3))


def test_ink_moved_over_the_edge_is_gone() -> None:
    """What leaves on one side does not come in on the other."""
    corners = dot(0, 0) + dot(26, 26) + dot(0, 26) + dot(26, 0)
    moved = changed(Augmentation(shift_px=14), corners, AtTheEnd())
    assert np.count_nonzero(moved) == 4


def test_quarter_turn_is_exact() -> None:
    """Turned by 90 degrees about the middle, each pixel comes to lie on another."""
    images = random_digits(5).images
    turned = changed(Augmentation(rotate_deg=90), images, AtTheEnd()).astype(int)
    either = [np.abs(turned - np.rot90(images, times, axes=(1, 2)).astype(int)).max() for times in (1, 3)]
    assert min(either) <= 1


def test_turns_are_spread_over_their_range() -> None:
    """A level bar is tilted by -30 to 30 degrees, as often to one side as to the other."""
    bars = np.zeros((2000, 28, 28), np.uint8)
    bars[:, 13:15, 4:24] = 255
    tilts = tilts_deg(changed(Augmentation(rotate_deg=30), bars, np.random.default_rng(1)))
    assert np.abs(tilts).max() < 31
    assert np.abs(tilts).max() > 28
    assert abs(tilts.mean()) < 2
    assert tilts.std() == pytest.approx(60 / np.sqrt(12), rel=0.1)


def test_shifts_are_spread_over_their_range() -> None:
    """A dot is found up to four pixels away, in x and y independently."""
    images = changed(Augmentation(shift_px=4), np.repeat(dot(13, 13), 2000, axis=0), np.random.default_rng(1))
    total = images.sum(axis=(1, 2), dtype=float)
    y, x = ((images * place).sum(axis=(1, 2)) / total - 13.5 for place in np.indices((28, 28)))
    for moved in (y, x):
        assert 3.8 < np.abs(moved).max() < 4.1
        assert moved.std() == pytest.approx(8 / np.sqrt(12), rel=0.1)
    assert abs(np.corrcoef(y, x)[0, 1]) < 0.1


def test_scale_changes_the_size() -> None:
    """A square of 10 pixels a side comes out as 5 to 15, with amounts of a half."""
    squares = np.zeros((2000, 28, 28), np.uint8)
    squares[:, 9:19, 9:19] = 255
    sides = np.sqrt(changed(Augmentation(scale=0.5), squares, np.random.default_rng(1)).sum(axis=(1, 2)) / 255)
    assert 4.8 < sides.min() < 5.5
    assert 14.5 < sides.max() < 15.2


def test_shear_slants_and_keeps_the_height() -> None:
    """An upright bar leans, and begins and ends in the rows where it did."""
    bars = np.zeros((200, 28, 28), np.uint8)
    bars[:, 6:22, 13:15] = 255
    leaning = changed(Augmentation(shear=0.5), bars, np.random.default_rng(1))
    rows = leaning.max(axis=2) > 0
    assert rows[:, 6:22].all()
    assert np.count_nonzero(rows) == 200 * 16
    assert np.abs(90 - np.abs(tilts_deg(leaning))).max() > 15


@settings(max_examples=50, deadline=None, derandomize=True)
@given(AMOUNTS, st.integers(0, 2**32))
def test_blank_stays_blank(augmentation: Augmentation, seed: int) -> None:
    """Ink never appears out of nothing."""
    assert not changed(augmentation, np.zeros((3, 28, 28), np.uint8), np.random.default_rng(seed)).any()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(AMOUNTS, st.integers(0, 2**32), st.integers(0, 255))
def test_no_pixel_is_brighter_than_what_was_there(augmentation: Augmentation, seed: int, level: int) -> None:
    """Blending stays between its neighbours, and 255 does not wrap round to 0."""
    output = changed(augmentation, np.full((3, 28, 28), level, np.uint8), np.random.default_rng(seed))
    assert output.dtype == np.uint8
    assert output.max() <= level
    middle = Augmentation(augmentation.rotate_deg, min(augmentation.shift_px, 3), 0, 0)
    output = changed(middle, np.full((3, 28, 28), level, np.uint8), np.random.default_rng(seed))
    assert (output[:, 10:18, 10:18] == level).all()


def test_changed_digits_keep_their_ink() -> None:
    """Under the amounts that the shipped recipe uses, a digit has about as much ink after as before."""
    images = mnist().training.images[:500]
    after = changed(Augmentation(12, 1.5, 0.12, 0.25), images, np.random.default_rng(1))
    shares = after.sum(axis=(1, 2), dtype=float) / images.sum(axis=(1, 2), dtype=float)
    assert shares.mean() == pytest.approx(1, abs=0.03)
    assert shares.min() > 0.6


@pytest.mark.parametrize("amount", ["rotate_deg", "shift_px", "scale", "shear"])
def test_any_amount_makes_an_augmentation_true(amount: str) -> None:
    """Only where every amount is 0 is there nothing to do."""
    assert not Augmentation()
    assert Augmentation(**{amount: 0.1})
