"""Tests of images with more than a digit on even paper, made from the hand-drawn digits."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.ink.finding import locate_ink
from digitpad.nn.arrays import Floats
from tests.unit.ink.drawings import DIGITS, difference, network_input, picture, pixels

INKS = {digit: picture(paths, side=240) for digit, paths in DIGITS.items()}


def expected(digit: int) -> NDArray[np.int64]:
    return network_input(pixels(1 - INKS[digit]))


def lines(step: int) -> Floats:
    """Return ruled lines of two pixels on 240 × 240 pixels, as ink from 0 to 1."""
    ink = np.zeros((240, 240))
    for row in range(step // 2, 240, step):
        ink[row : row + 2] = 1
    return ink


@pytest.mark.parametrize("digit", INKS)
def test_sharp_shadow_edge_is_not_ink(digit: int) -> None:
    """The edge of a shadow across the digit does not change the prediction."""
    shade = np.where(np.arange(240) < 120, 0.5, 1.0)[:, None]
    assert difference(network_input(pixels(0.9 * (1 - 0.8 * INKS[digit]) * shade)), expected(digit)) < 12


@pytest.mark.parametrize("digit", INKS)
def test_glare_does_not_decide_the_polarity(digit: int) -> None:
    """Dark ink on dark paper is found as ink beside a small highlight."""
    image = 0.3 - 0.25 * INKS[digit]
    image[5:13, 5:13] = 0.95
    assert difference(network_input(pixels(image)), expected(digit)) < 12


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_strip_at_an_edge_is_removed(digit: int, level: float) -> None:
    """A dark or light strip along an edge is removed."""
    image = 0.65 - 0.4 * INKS[digit]
    image[:, :8] = level
    assert difference(network_input(pixels(image)), expected(digit)) < 12


@pytest.mark.parametrize("digit", INKS)
def test_frame_is_removed(digit: int) -> None:
    """A box around the digit is removed."""
    ink = INKS[digit].copy()
    for edge in (slice(10, 13), slice(227, 230)):
        ink[edge, 10:230] = ink[10:230, edge] = 1
    assert difference(network_input(pixels(1 - ink)), expected(digit)) < 12


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize("squared", [False, True])
def test_ruled_paper_is_removed(digit: int, squared: bool) -> None:
    """Ruled lines are removed without cutting the digit that crosses them."""
    rules = np.maximum(lines(50), lines(50).T) if squared else lines(50)
    image = 0.95 - np.maximum(0.4 * rules, 0.85 * INKS[digit])
    assert difference(network_input(pixels(image)), expected(digit)) < 40


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize("darkness", [0.3, 0.35, 0.4])
def test_noisy_rules_are_removed_whole(digit: int, darkness: float) -> None:
    """Noise does not turn rules of nearly half the ink's darkness into dashes, which stay."""
    rules = np.maximum(lines(60), lines(60).T)
    noise = np.random.default_rng(digit).normal(0, 0.012, rules.shape)
    image = 0.95 - np.maximum(darkness * rules, 0.85 * INKS[digit]) + noise
    assert difference(network_input(pixels(image.clip(0, 1))), expected(digit)) < 40


@pytest.mark.parametrize("digit", INKS)
def test_faint_pencil_is_found(digit: int) -> None:
    """Ink that is only four hundredths darker than clean paper is found."""
    assert difference(network_input(pixels(0.96 - 0.04 * INKS[digit])), expected(digit)) < 30


def test_parts_of_neighbours_are_removed() -> None:
    """Parts cut by the left and right edges are removed if a whole digit is between them."""
    image = np.zeros((240, 320))
    image[:, 40:280] = INKS[0]
    image[:, :40] = np.maximum(image[:, :40], INKS[2][:, 125:165])
    assert difference(network_input(pixels(1 - image)), expected(0)) < 12


def test_small_digit_on_a_page_is_cropped() -> None:
    """A small digit on a large page is found, and returned with its position on the page."""
    page = np.full((1500, 1000), 250, np.uint8)
    page[700:780, 500:580] = pixels(1 - picture(DIGITS[2], side=80))
    found = locate_ink(page)
    rows, columns = (np.flatnonzero((found.ink > 0.5).any(axis=axis)) for axis in (1, 0))
    assert found.y + rows[0] * found.scale == pytest.approx(700 + 13, abs=6)
    assert found.x + columns[0] * found.scale == pytest.approx(500 + 20, abs=6)
    assert len(rows) * found.scale == pytest.approx(50, abs=8)


@pytest.mark.parametrize("amount", [0, 5])
@pytest.mark.parametrize("turns", range(4))
def test_soft_shadow_is_not_ink(turns: int, amount: int) -> None:
    """A blank page that becomes darker towards one corner has no ink, with or without noise."""
    y, x = np.indices((300, 300)) / 300
    page = np.rot90(240 - 70 * x - 30 * y, turns) + np.random.default_rng(turns).normal(0, amount, (300, 300))
    assert not locate_ink(np.rint(page).astype(np.uint8)).ink.any()


@pytest.mark.parametrize("digit", INKS)
@pytest.mark.parametrize("enlarged", [3, 7])
def test_amounts_do_not_depend_on_the_size_of_the_picture(digit: int, enlarged: int) -> None:
    """A digit that fills a large picture gives the same ink as in a smaller picture."""
    image = pixels(1 - INKS[digit])
    larger = locate_ink(image.repeat(enlarged, axis=0).repeat(enlarged, axis=1))
    np.testing.assert_allclose(larger.ink, locate_ink(image).ink, atol=0.02)
    assert larger.scale == pytest.approx(enlarged)


@pytest.mark.parametrize("width_px", [24, 48, 56])
def test_stem_of_a_tight_1_is_not_a_line(width_px: float) -> None:
    """The stem of a 1 that fills the picture is kept, beside a short flag."""
    one = picture([np.array([[150, 150], [250, 50], [250, 440]], float)], width_px, side=120)
    tall = locate_ink(pixels(0.3 - 0.25 * one)[:, 20:80]).ink > 0.5
    np.testing.assert_allclose(tall.mean(), (one[:, 20:80] > 0.5).mean(), rtol=0.05)
