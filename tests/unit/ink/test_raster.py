import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import SPECK_SHARE, centre_of_mass, not_specks, rasterize
from digitpad.ink.strokes import CANVAS_PX, Stroke
from digitpad.nn.arrays import Floats
from tests.unit.ink.drawings import DIGITS, PATHS, SOME, difference


def bounds(image: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the first and last positions with at least half ink, for x and then y."""
    inked = image > 127
    return np.array([np.flatnonzero(inked.any(axis=axis))[[0, -1]] for axis in (0, 1)])


def resampled(path: Floats, between: int) -> Floats:
    """Return the same lines with ``between`` more points between each two points."""
    at = np.arange(len(path))
    denser = np.linspace(0, len(path) - 1, (len(path) - 1) * (between + 1) + 1)
    return np.stack([np.interp(denser, at, coordinate) for coordinate in path.T], axis=1)


@SOME
@given(PATHS, st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_position_does_not_matter(paths: list[Floats], dx: float, dy: float) -> None:
    """Moving a digit does not change the network input."""
    moved = rasterize([path + np.array([dx, dy]) for path in paths])
    assert np.abs(moved.astype(int) - rasterize(paths)).max() <= 1


@SOME
@given(PATHS, st.floats(0.2, 1))
def test_size_does_not_matter(paths: list[Floats], scale: float) -> None:
    """Scaling a digit does not change the network input."""
    scaled = rasterize([path * scale for path in paths])
    assert np.abs(scaled.astype(int) - rasterize(paths)).max() <= 1


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1e6, 1e150])
@pytest.mark.parametrize("digit", DIGITS)
def test_unit_does_not_matter(digit: int, scale: float) -> None:
    """The unit of the points does not matter, because only relative sizes count."""
    scaled = rasterize([path * scale for path in DIGITS[digit]])
    assert np.abs(scaled.astype(int) - rasterize(DIGITS[digit])).max() <= 1


@SOME
@given(PATHS, st.integers(1, 9))
def test_sampling_density_does_not_matter(paths: list[Floats], between: int) -> None:
    """More points along a path, or repeated points, do not change the network input."""
    dense = [resampled(path, between) for path in paths]
    assert np.abs(rasterize(dense).astype(int) - rasterize(paths)).max() <= 1
    resting = [np.repeat(path, between, axis=0) for path in paths]
    assert np.abs(rasterize(resting).astype(int) - rasterize(paths)).max() <= 1


@SOME
@given(PATHS)
def test_direction_and_order_hardly_matter(paths: list[Floats]) -> None:
    """Reversing the paths and their order hardly changes the network input."""
    backwards = rasterize([path[::-1] for path in reversed(paths)])
    assert difference(backwards, rasterize(paths)) < 12


@SOME
@given(PATHS)
def test_ink_is_centred(paths: list[Floats]) -> None:
    """The centre of mass is that of MNIST, unless the digit would leave the image."""
    image = rasterize(paths)
    at_the_edge = (np.abs(bounds(image).mean(axis=1) - 14) > 3.4).any()
    assume(not at_the_edge)
    np.testing.assert_allclose(centre_of_mass(image.astype(float)), 14, atol=0.15)


@SOME
@given(PATHS)
def test_ink_fills_the_box_and_nothing_is_cut(paths: list[Floats]) -> None:
    """The longer side is 20 pixels, and no ink is cut off."""
    first, last = bounds(rasterize(paths)).T
    assert 18 <= (last - first + 1).max() <= 20
    assert first.min() >= 0
    assert last.max() <= 27


def test_lopsided_digit_stays_inside() -> None:
    """A line with most ink at its right end is shifted four pixels to the left, up to the edge of the image."""
    scribble = np.array([[92 + 8 * (i % 2), i] for i in range(-50, 50)], float)
    first, last = bounds(rasterize([np.array([[0.0, 0.0], [100.0, 0.0]]), scribble]))[0]
    assert (first, last) == (1, 19)


@pytest.mark.parametrize("paths", [[], [np.empty((0, 2))]], ids=["no stroke", "no point"])
def test_empty_is_blank(paths: list[Floats]) -> None:
    """Without points, the network input is blank."""
    image = rasterize(paths)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert not image.any()


@pytest.mark.parametrize("points", [[[7, 9]], [[7, 9]] * 5], ids=["one point", "a pen that rests"])
def test_dot_is_drawn(points: list[list[float]]) -> None:
    """A single point is drawn as a round dot in the centre."""
    image = rasterize([np.array(points, float)])
    assert image[14, 14] == 255
    assert 4 < np.count_nonzero(image) < 25
    np.testing.assert_array_equal(image[1:, 1:], image[:0:-1, :0:-1])


def test_stroke_of_almost_no_length_is_a_dot() -> None:
    """A stroke of almost no length is drawn as a dot, without overflow."""
    np.testing.assert_array_equal(rasterize([np.array([[0, 0], [1e-310, 0]])]), rasterize([np.zeros((1, 2))]))


def test_straight_line_by_hand() -> None:
    """One pixel from the line the ink is (1.1 - 1) / 1.2 + 0.5, and two pixels away it is 0."""
    image = rasterize([np.array([[5.0, 0.0], [5.0, 100.0]])])
    assert image[14, 13:16].tolist() == [149, 255, 149]
    assert not image[:, :12].any()
    assert not image[:, 17:].any()
    assert bounds(image)[1].tolist() == [5, 23]


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("place", [(5, 5), (475, 475), (470, 200)])
def test_speck_outside_changes_nothing(digit: int, place: tuple[int, int]) -> None:
    """A speck next to the digit is removed and does not make the digit smaller."""
    speck = np.array([place, (place[0] + 3, place[1] + 1)], float)
    np.testing.assert_array_equal(rasterize([*DIGITS[digit], speck]), rasterize(DIGITS[digit]))


def test_dot_inside_is_kept() -> None:
    """A dot inside a digit is kept."""
    image = rasterize([*DIGITS[0], np.array([[240.0, 240.0]])])
    assert not rasterize(DIGITS[0])[13:16, 13:16].any()
    assert image[14, 14] > 200


def test_dot_directly_above_or_below_is_kept() -> None:
    """A dot directly above or below is kept, as in an i or an exclamation mark; one further off or aside is a speck."""
    stem = np.array([[200.0, 200.0], [200.0, 300.0]])
    dots = {
        "above": [202.0, 170.0],
        "far up": [202.0, 140.0],
        "aside": [230.0, 170.0],
        "below": [202.0, 330.0],
        "far down": [202.0, 360.0],
    }
    changed = {
        name: not np.array_equal(rasterize([stem, np.array([dot])]), rasterize([stem])) for name, dot in dots.items()
    }
    assert changed == {"above": True, "far up": False, "aside": False, "below": True, "far down": False}


def test_second_stroke_is_kept() -> None:
    """A stroke that is not tiny belongs to the digit at any distance."""
    apart = rasterize([np.array([[0.0, 0.0], [0.0, 100.0]]), np.array([[200.0, 0.0], [200.0, 30.0]])])
    assert np.ptp(bounds(apart)[0]) >= 18


def test_small_parts_are_not_specks_if_all_are_small() -> None:
    """If all parts are small, none of them is a speck."""
    boxes = np.array([[[0, 0], [0, 0]], [[50, 50], [50, 50]]], float)
    assert not_specks(boxes).all()
    assert np.count_nonzero(rasterize([np.array([[0.0, 0.0]]), np.array([[50.0, 50.0]])])) > 10


@pytest.mark.parametrize(("size", "kept"), [(0.9 * SPECK_SHARE, False), (1.1 * SPECK_SHARE, True)])
def test_speck_is_recognised_by_its_relative_size(size: float, kept: bool) -> None:
    """A separate part is kept if it is larger than a tenth of the digit."""
    boxes = np.array([[[0, 0], [100, 100]], [[300, 0], [300 + 100 * size, 0]]], float)
    assert not_specks(boxes).tolist() == [True, kept]


@SOME
@given(PATHS, st.floats(1, 100))
def test_pen_width_does_not_matter(paths: list[Floats], width_px: float) -> None:
    """The displayed width and the pressure of strokes do not change the network input."""
    drawing = Drawing(tuple(Stroke(path, width_px, np.linspace(0, 1, len(path))) for path in paths))
    np.testing.assert_array_equal(drawing.rasterize(), rasterize(paths))


def test_long_scribble_takes_little_memory() -> None:
    """Rasterising a long scribble uses less than 64 MiB."""
    scribble = np.tile([[0.0, 0.0], [CANVAS_PX, CANVAS_PX / 2]], (200, 1)) + np.arange(400)[:, None] / 5
    tracemalloc.start()
    try:
        image = rasterize([scribble])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert image.any()
    assert peak < 64 * 2**20
