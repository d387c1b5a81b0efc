from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.datasets.augmentation.augment import Augmentation, Augmenter
from digitpad.datasets.dataset import mnist
from tests.unit.datasets.idx_files import random_digits


class ExtremeGenerator(np.random.Generator):
    """Generator that always draws the largest (or smallest) value, so that the result of each distortion is known."""

    def __init__(self, smallest: bool = False) -> None:
        super().__init__(np.random.PCG64(0))
        self._smallest = smallest

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.full(size, low if self._smallest else high, float)


def changed(augmentation: Augmentation, images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    return Augmenter(augmentation)(images, rng).copy()


def wider(images: NDArray[np.uint8], by_px: float) -> NDArray[np.uint8]:
    return changed(Augmentation(thickness_px=abs(by_px)), images, ExtremeGenerator(smallest=by_px < 0))


def bar(width_px: float, slant_deg: float) -> NDArray[np.uint8]:
    """Return an image with a bar through the centre; partly covered pixels are grey."""
    fine = 16
    y, x = (np.indices((28 * fine, 28 * fine)) + 0.5) / fine - 14
    slant = np.radians(slant_deg)
    covered = np.abs(x * np.sin(slant) + y * np.cos(slant)) < width_px / 2
    return np.rint(255 * covered.reshape(1, 28, fine, 28, fine).mean(axis=(2, 4))).astype(np.uint8)


def dot(y: int, x: int) -> NDArray[np.uint8]:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, y : y + 2, x : x + 2] = 200
    return image


def tilts_deg(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the main direction of the ink of each image, in degrees."""
    y, x = np.indices(images.shape[1:]) - 13.5
    ink = images.astype(float)
    xx, yy, xy = ((ink * moment).sum(axis=(1, 2)) for moment in (x * x, y * y, x * y))
    tilts: NDArray[np.float64] = np.degrees(np.arctan2(2 * xy, xx - yy) / 2)
    return tilts


def test_whole_pixels_move_ink_exactly() -> None:
    """A shift by whole pixels moves a dot without changing it."""
    moved = changed(Augmentation(shift_px=3), dot(10, 15), ExtremeGenerator())
    assert any(np.array_equal(moved, dot(10 + by, 15 + by)) for by in (-3, 3))


def test_ink_shifted_over_the_edge_is_lost() -> None:
    """Ink shifted over an edge does not reappear at the opposite edge."""
    corners = dot(0, 0) + dot(26, 26) + dot(0, 26) + dot(26, 0)
    moved = changed(Augmentation(shift_px=14), corners, ExtremeGenerator())
    assert np.count_nonzero(moved) == 4


def test_quarter_turn_is_exact() -> None:
    """A rotation by 90 degrees maps each pixel to another pixel."""
    images = random_digits(5).images
    turned = changed(Augmentation(rotate_deg=90), images, ExtremeGenerator()).astype(int)
    either = [np.abs(turned - np.rot90(images, times, axes=(1, 2)).astype(int)).max() for times in (1, 3)]
    assert min(either) <= 1


def test_rotations_are_uniform() -> None:
    """Rotations are uniform from -30 to 30 degrees."""
    bars = np.zeros((2000, 28, 28), np.uint8)
    bars[:, 13:15, 4:24] = 255
    tilts = tilts_deg(changed(Augmentation(rotate_deg=30), bars, np.random.default_rng(1)))
    assert np.abs(tilts).max() < 31
    assert np.abs(tilts).max() > 28
    assert abs(tilts.mean()) < 2
    assert tilts.std() == pytest.approx(60 / np.sqrt(12), rel=0.1)


def test_shifts_are_uniform() -> None:
    """Shifts are uniform up to four pixels, independently in x and y."""
    images = changed(Augmentation(shift_px=4), np.repeat(dot(13, 13), 2000, axis=0), np.random.default_rng(1))
    total = images.sum(axis=(1, 2), dtype=float)
    y, x = ((images * place).sum(axis=(1, 2)) / total - 13.5 for place in np.indices((28, 28)))
    for moved in (y, x):
        assert 3.8 < np.abs(moved).max() < 4.1
        assert moved.std() == pytest.approx(8 / np.sqrt(12), rel=0.1)
    assert abs(np.corrcoef(y, x)[0, 1]) < 0.1


def test_scale_changes_the_size() -> None:
    """An amount of 0.5 scales a 10 px square to 5 to 15 px."""
    squares = np.zeros((2000, 28, 28), np.uint8)
    squares[:, 9:19, 9:19] = 255
    sides = np.sqrt(changed(Augmentation(scale=0.5), squares, np.random.default_rng(1)).sum(axis=(1, 2)) / 255)
    assert 4.8 < sides.min() < 5.5
    assert 14.5 < sides.max() < 15.2


def test_shear_keeps_the_height() -> None:
    """Shear slants an upright bar without changing its rows."""
    bars = np.zeros((200, 28, 28), np.uint8)
    bars[:, 6:22, 13:15] = 255
    leaning = changed(Augmentation(shear=0.5), bars, np.random.default_rng(1))
    rows = leaning.max(axis=2) > 0
    assert rows[:, 6:22].all()
    assert np.count_nonzero(rows) == 200 * 16
    assert np.abs(90 - np.abs(tilts_deg(leaning))).max() > 15


@pytest.mark.parametrize("slant_deg", [0, 15, 30, 45, 60, 90])
@pytest.mark.parametrize("by_px", [-2.0, -0.7, 0.7, 1.0, 2.0])
def test_strokes_grow_by_their_amount(by_px: float, slant_deg: float) -> None:
    """The width of a bar changes by the requested amount within an eighth, at any slant."""
    before = bar(5, slant_deg)
    middle = np.hypot(*(np.indices((28, 28)) - 13.5)) < 9
    ink, more = before[0, middle].sum() / 5, wider(before, by_px)[0, middle].sum() - before[0, middle].sum(dtype=float)
    assert more / ink == pytest.approx(by_px, rel=0.125)


def test_wider_has_more_ink_and_narrower_less() -> None:
    """The ink of each MNIST digit increases with the amount."""
    images = mnist().training.images[:500]
    ink_sums = [wider(images, by_px).sum(axis=(1, 2), dtype=int) for by_px in (-2, -1, -0.5, 0.5, 1, 2)]
    ink_sums.insert(3, images.sum(axis=(1, 2), dtype=int))
    assert (np.diff(ink_sums, axis=0) > 0).all()


def test_thinning_keeps_thin_strokes() -> None:
    """Thin digits keep their brightest pixels, and lines of one or two pixels do not change."""
    images = mnist().training.images[:500]
    narrow = wider(images, -2)
    assert narrow.max(axis=(1, 2)).min() > 200
    assert (narrow.sum(axis=(1, 2)) / images.sum(axis=(1, 2))).min() > 0.3
    for line in (np.s_[5:20, 9], np.s_[5:20, 9:11], np.s_[12:14, 3:20]):
        lines = np.zeros((1, 28, 28), np.uint8)
        lines[0][line] = 255
        np.testing.assert_array_equal(wider(lines, -2), lines)


def test_wider_strokes_leave_small_loops_open() -> None:
    """Holes of one or two pixels stay open while the ink around them grows outward."""
    for hole in (np.s_[12, 12], np.s_[12:14, 12:14]):
        loop = np.zeros((1, 28, 28), np.uint8)
        loop[0, 9:17, 9:17] = 255
        loop[0][hole] = 0
        after = wider(loop, 2)
        assert not after[0][hole].any()
        assert after[0, 8, 9:17].all()


@pytest.mark.parametrize("by_px", [-1.5, 1.5])
def test_thickness_is_isotropic(by_px: float) -> None:
    """Thickness commutes with flips and transposition, including at the edges."""
    images = random_digits(20).images
    after = wider(images, by_px)
    assert (after != images).any(axis=(1, 2)).all()
    for flip in (np.s_[:, ::-1], np.s_[:, :, ::-1]):
        np.testing.assert_array_equal(wider(images[flip], by_px), after[flip])
    np.testing.assert_array_equal(wider(images.transpose(0, 2, 1), by_px), after.transpose(0, 2, 1))


@pytest.mark.parametrize("by_px", [-1.5, 1.5])
def test_ink_does_not_grow_into_another_image(by_px: float) -> None:
    """Each image of a batch gives the same result as alone."""
    images = random_digits(6).images
    images[1] = images[4] = 0
    images[2] = 255
    alone = [wider(image[None], by_px)[0] for image in images]
    np.testing.assert_array_equal(wider(images, by_px), alone)


def test_elastic_displacements_have_the_stated_size_and_smoothness() -> None:
    """Displacements have the stated root mean square everywhere, and a Gaussian correlation over distance."""
    both = []
    for ramp in np.indices((28, 28)) * 9:
        ramps = np.repeat(ramp[None].astype(np.uint8), 3000, axis=0)
        after = changed(Augmentation(elastic_px=0.25), ramps, np.random.default_rng(1))
        moves = ((after - ramps.astype(float)) / 9)[:, 1:-1, 1:-1]
        both.append(moves)
        assert np.abs(moves.mean(axis=0)).max() < 0.03
        np.testing.assert_allclose(np.sqrt((moves**2).mean(axis=0)), 0.25, rtol=0.08)
        for apart in (4, 8):
            for first, second in ((moves[:, apart:], moves[:, :-apart]), (moves[:, :, apart:], moves[:, :, :-apart])):
                correlation = (first * second).mean() / (moves**2).mean()
                assert correlation == pytest.approx(np.exp(-(apart**2) / (4 * 4**2)), abs=0.03)
    along_y, along_x = both
    assert np.abs((along_y * along_x).mean()) < 0.05 * 0.25**2


def test_tiny_elastic_displacements_change_nothing() -> None:
    """Displacements of a millionth of a pixel change nothing, with either scaling."""
    images = random_digits(20).images
    np.testing.assert_array_equal(changed(Augmentation(elastic_px=1e-6), images, np.random.default_rng(1)), images)
    plain, tiny = (
        changed(Augmentation(scale=0.2, elastic_px=px), images, np.random.default_rng(1)).astype(int)
        for px in (0, 1e-6)
    )
    assert np.abs(plain - tiny).max() <= 1


def test_erasing_blanks_exactly_a_square() -> None:
    """Exactly a square is erased; sides of 1 to 8 are equally likely, and every pixel is covered."""
    white = np.full((4000, 28, 28), 255, np.uint8)
    erased = changed(Augmentation(erase_px=8), white, np.random.default_rng(1)) == 0
    assert set(np.unique(changed(Augmentation(erase_px=8), white, np.random.default_rng(1)))) == {0, 255}
    heights, widths = erased.any(axis=2).sum(axis=1), erased.any(axis=1).sum(axis=1)
    np.testing.assert_array_equal(heights, widths)
    np.testing.assert_array_equal(erased.sum(axis=(1, 2)), heights * widths)
    np.testing.assert_allclose(np.bincount(heights), [0, *[500] * 8], atol=100)
    assert erased.any(axis=0).all()
    for image, side in zip(erased[:100], heights[:100], strict=True):
        top, left = np.argwhere(image)[0]
        assert image[top : top + side, left : left + side].all()


def test_largest_erased_square_is_the_image() -> None:
    """A side of 28 erases the whole image."""
    assert not changed(Augmentation(erase_px=28), random_digits(3).images, ExtremeGenerator()).any()


def test_noise_has_the_stated_deviation() -> None:
    """Noise on grey has the stated standard deviation, and is independent between pixels."""
    grey = np.full((200, 28, 28), 128, np.uint8)
    noise = changed(Augmentation(noise=0.1), grey, ExtremeGenerator()).astype(float) - 128
    assert noise.mean() == pytest.approx(0, abs=0.3)
    assert noise.std() == pytest.approx(25.5, rel=0.01)
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.01 * 25.5**2


def test_noise_levels_are_uniform() -> None:
    """The noise level is drawn per image, uniformly from 0 to the maximum."""
    grey = np.full((2000, 28, 28), 128, np.uint8)
    levels = changed(Augmentation(noise=0.1), grey, np.random.default_rng(1)).std(axis=(1, 2)) / 255
    np.testing.assert_allclose(np.quantile(levels, [0, 0.25, 0.5, 0.75, 1]), [0, 0.025, 0.05, 0.075, 0.1], atol=0.008)


@pytest.mark.parametrize("level", [0, 255])
def test_noise_is_clipped(level: int) -> None:
    """Noise is clipped at black and white: half of the pixels do not change, and none overflows."""
    noisy = changed(Augmentation(noise=0.1), np.full((50, 28, 28), level, np.uint8), ExtremeGenerator())
    assert (noisy == level).mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(noisy.astype(int) - level).max() < 160
