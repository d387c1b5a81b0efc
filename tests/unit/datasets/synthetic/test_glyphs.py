import itertools
from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.synthetic import glyphs as glyphs_module
from digitpad.datasets.synthetic.glyphs import draw, glyphs, kinds
from digitpad.datasets.synthetic.pen import Style, read_glyphs, write, writers
from digitpad.errors import InkError
from digitpad.ink.raster import rasterize, without_specks
from digitpad.ink.strokes import CANVAS_PX
from digitpad.nn.losses import NONE

STYLES = [(glyph, style) for glyph, styles in glyphs().items() for style in styles]


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_is_drawable(kind: str) -> None:
    """Every kind gives drawings with ink, in whole pixels on the canvas."""
    for writer, rng in itertools.islice(writers(1), 8):
        paths = draw(kind, rng, writer)
        points = np.concatenate(paths)
        assert min(map(len, paths)) >= 1
        assert points.shape[1] == 2
        assert points.min() >= 0
        assert points.max() <= CANVAS_PX
        np.testing.assert_array_equal(points, np.rint(points))
        assert rasterize(paths, writer.pen_radius_px).any()


@pytest.mark.parametrize(("glyph", "style"), STYLES, ids=[f"{glyph} {style.name}" for glyph, style in STYLES])
def test_every_style_is_drawable(glyph: str, style: Style) -> None:
    """Every style has a unique name within its kind, is labelled as a non-digit, and is as large as a digit."""
    assert [other.name for other in glyphs()[glyph]].count(style.name) == 1
    assert style.digit == NONE
    paths = write(style, np.random.default_rng(1))
    assert len(paths) == len(style.strokes)
    assert np.ptp(np.concatenate(paths), axis=0).max() > 80


def test_shares_add_up_to_one() -> None:
    """The shares of all kinds add up to 1, and those of styles to `GLYPH_SHARE`."""
    assert sum(kinds().values()) == pytest.approx(1)
    assert min(kinds().values()) > 0
    assert sum(share for kind, share in kinds().items() if kind in glyphs()) == pytest.approx(glyphs_module.GLYPH_SHARE)


def test_digits_are_not_kinds() -> None:
    """Neither digits nor letters that look like digits are kinds."""
    assert not set("0123456789oOlIzZsSbgq|/").intersection(kinds())


def test_same_generator_same_drawing() -> None:
    """The same generator gives the same drawing."""
    writer, _ = next(writers(1))
    for kind in kinds():
        first, second = (draw(kind, np.random.default_rng(5), writer) for _ in range(2))
        for path, same in zip(first, second, strict=True):
            np.testing.assert_array_equal(path, same)


def test_digit_is_an_unknown_kind() -> None:
    """A digit is not a kind."""
    writer, rng = next(writers(1))
    with pytest.raises(KeyError):
        draw("7", rng, writer)


@pytest.mark.parametrize("kind", ["scribble", "tangle", "overlaid strokes", "invented sign"])
def test_random_drawings_have_more_ink_than_a_line(kind: str) -> None:
    """The ink of random drawings is several times as long as their size, unlike a 1."""
    for writer, rng in itertools.islice(writers(2), 20):
        paths = draw(kind, rng, writer)
        ink = sum(np.hypot(*np.diff(path, axis=0).T).sum() for path in paths)
        assert ink > 2.5 * np.ptp(np.concatenate(paths), axis=0).max()


def test_dots_are_kept() -> None:
    """Each drawing keeps 2 to 7 separate dots of a single point."""
    for writer, rng in itertools.islice(writers(1), 20):
        paths = draw("dots", rng, writer)
        assert 2 <= len(paths) <= 7
        assert {len(path) for path in paths} == {1}


@pytest.mark.parametrize("kind", ["i", "j", "ü", "?", "÷"])
def test_no_part_is_removed_as_a_speck(kind: str) -> None:
    """No part is removed as a speck: an i without its dot would look like a 1."""
    for writer, rng in itertools.islice(writers(3), 20):
        paths = draw(kind, rng, writer)
        assert len(paths) > 1
        assert len(without_specks(paths)) == len(paths)


def test_neighbours_stand_beside_each_other() -> None:
    """Two digits side by side are wider than a single digit."""
    wider = 0
    for writer, rng in itertools.islice(writers(1), 40):
        width, height = np.ptp(np.concatenate(draw("two digits", rng, writer)), axis=0)
        wider += width > 0.6 * height
    assert wider > 32


def test_error_names_the_style(tmp_path: Path) -> None:
    """The error for an invalid style contains its name, its kind and the file."""
    path = tmp_path / "glyphs.toml"
    path.write_text('[[heart]]\nname = "broken"\nstrokes = ["50,28 36;4"]\n', "utf-8")
    with pytest.raises(InkError, match=r"glyphs.*style 'broken' of heart: '36;4' is not a point"):
        read_glyphs(path)


def test_words_may_have_letters_drawn_like_digits() -> None:
    """Every letter of a function's name has a style, or is drawn like a digit; an o alone is no kind."""
    assert not set(glyphs_module.LIKE_DIGITS) & set(glyphs())
    assert set("".join(glyphs_module.FUNCTIONS)) <= set(glyphs()) | set(glyphs_module.LIKE_DIGITS)
