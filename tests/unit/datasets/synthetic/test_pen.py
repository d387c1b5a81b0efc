import dataclasses
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from digitpad.datasets.synthetic.pen import (
    STEP,
    STYLES,
    StrokeCurve,
    Style,
    Writer,
    read_styles,
    styles,
    write,
    writers,
)
from digitpad.errors import InkError
from digitpad.ink.raster import rasterize
from digitpad.ink.strokes import CANVAS_PX
from digitpad.nn.arrays import Floats
from digitpad.recognition.recognizer import Recognizer
from digitpad.weights.native_format import SHIPPED, load_weights

STYLE = '[[7]]\nname = "plain"\nstrokes = ["12..22,5 80,3! 45,100"]\n'
HABITS = ("slant", "turn", "rounding", "jitter", "sway", "proportion", "warp", "gap", "reach", "hooks", "tremor")
OTHERS = "".join(f'[[{digit}]]\nstrokes = ["0,0 0,100"]\n' for digit in range(10) if digit != 7)


def named(style: Style) -> str:
    return f"{style.digit} {style.name}"


def read(tmp_path: Path, text: str) -> tuple[Style, ...]:
    path = tmp_path / "styles.toml"
    path.write_text(text, "utf-8")
    return read_styles(path)


def steady(style: Style, **changes: float) -> list[Floats]:
    """Write a style without any variation, except for the given changes."""
    still = dict.fromkeys(HABITS, 0.0)
    writer = dataclasses.replace(next(writers(1))[0], width=1.0, bend=1.0, spacing_px=5.0, size_px=300.0)
    return write(style, np.random.default_rng(1), dataclasses.replace(writer, **{**still, **changes}))  # type: ignore[arg-type]


def test_points_and_ranges_of_a_style(tmp_path: Path) -> None:
    """Points are in hundredths of a height, relative to the centre; ranges have low and high ends."""
    (style,) = (style for style in read(tmp_path, STYLE + OTHERS) if style.digit == 7)
    assert (style.name, style.weight) == ("plain", 1)
    np.testing.assert_allclose(style.low, np.array([[-0.38, -0.45], [0.3, -0.47], [-0.05, 0.5]]))
    np.testing.assert_allclose(style.high - style.low, np.array([[0.1, 0], [0, 0], [0, 0]]), atol=1e-12)
    ((some, curve),) = style.strokes
    path = curve(style.low[some], bend=1)
    np.testing.assert_allclose(path[[0, 10, 20]], style.low)


def test_curve_bends_at_points_and_turns_at_corners() -> None:
    """A curve is smooth at points, turns at corners, and is straight with a bend of 0."""
    points = np.array([[0.0, 0.0], [0.5, 0.5], [1.0, 0.0]])
    smooth, corner = StrokeCurve.through(points, [False] * 3), StrokeCurve.through(points, [False, True, False])

    def turn(path: Floats) -> float:
        before, after = np.diff(path, axis=0)[9:11]
        return float(np.degrees(np.arccos(before @ after / np.hypot(*before) / np.hypot(*after))))

    assert turn(smooth(points, 1)) < 30
    assert turn(corner(points, 1)) > 80
    assert turn(smooth(points, 0)) == pytest.approx(90)
    on_circle = np.array([[np.sin(angle), np.cos(angle)] for angle in np.linspace(0, 2 * np.pi, 9)])
    radii = np.hypot(*StrokeCurve.through(on_circle, [False] * 9)(on_circle, 1)[10:-10].T)
    np.testing.assert_allclose(radii, 1, atol=0.02)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[7]]\nname = "bare"\nstrokes = []\n', "style 'bare' of 7: has no strokes"),
        ('[[7]]\nname = "dot"\nstrokes = ["5,5"]\n', "style 'dot' of 7: the stroke '5,5' has fewer than two points"),
        ('[[7]]\nname = "odd"\nstrokes = ["5,5 6;7"]\n', "style 'odd' of 7: '6;7' is not a point"),
        ('[[7]]\nstrokes = ["5,5 6,7"]\nweight = 0\n', "style 'number 1' of 7: weight is 0"),
        ('[[7]]\nstrokes = ["5,5 6,7"]\nweight = "x"\n', "style 'number 1' of 7: "),
        ('[[7]]\nname = "plain"\n', "style 'plain' of 7: "),
        ('[[7]]\nname = "plain"\nstrokes = ["1,2 3,4"]\ncolour = 3\n', "style 'plain' of 7: "),
        (
            '[[7]]\nstrokes = ["5,5 9..6,7"]\n',
            "style 'number 1' of 7: '9..6,7' has a range that ends below its start",
        ),
        ('[[7]]\nstrokes = ["5,5 6,7"]\nfreedom = 2\n', "style 'number 1' of 7: freedom is 2; expected 0 to 1"),
        ("7 = 7\n", "7 is not a list of styles"),
        ("7 = [7]\n", "7 is not a list of styles"),
        ("7 = []\n", "7 is not a list of styles"),
        ("", "has styles for 0, 1, 2, 3, 4, 5, 6, 8, 9; expected"),
        ("[[7]\n", "is not TOML"),
    ],
)
def test_error_names_the_style(tmp_path: Path, text: str, problem: str) -> None:
    """The error for an invalid style contains its name, its digit and the file."""
    with pytest.raises(InkError, match="styles") as caught:
        read(tmp_path, text + OTHERS)  # in TOML, a key without a table must come first
    assert problem in str(caught.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A missing file raises InkError."""
    with pytest.raises(InkError, match="cannot be read"):
        read_styles(tmp_path / "none.toml")


def test_each_digit_has_several_styles() -> None:
    """Each digit has at least ten styles, with unique names."""
    names = Counter(named(style) for style in read_styles(STYLES))
    assert set(names.values()) == {1}
    assert min(Counter(style.digit for style in styles()).values()) >= 10


@pytest.mark.parametrize("style", styles(), ids=named)
def test_every_style_is_drawable(style: Style) -> None:
    """Every style gives strokes of at least two points on the canvas, and is large enough for a digit."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        paths = write(style, rng)
        assert len(paths) == len(style.strokes)
        points = np.concatenate(paths)
        assert min(map(len, paths)) >= 2
        assert points.min() >= 0
        assert points.max() <= CANVAS_PX
        assert np.ptp(points, axis=0).max() > 80
        np.testing.assert_array_equal(points, np.rint(points))
        assert rasterize(paths).any()


def test_same_seed_gives_the_same_strokes() -> None:
    """The same seed gives the same writers and strokes."""
    for (writer, rng), (same, other) in zip(writers(3), itertools.islice(writers(3), 4), strict=False):
        assert writer.slant == same.slant
        for digit in range(10):
            for first, second in zip(write(digit, rng, writer), write(digit, other, same), strict=True):
                np.testing.assert_array_equal(first, second)


def test_writers_differ() -> None:
    """No two writers have the same size or write the same digit identically."""
    some = [writer for writer, _ in itertools.islice(writers(1), 50)]
    assert len({writer.size_px for writer in some}) == 50
    drawn = [rasterize(write(5, np.random.default_rng(1), writer)).tobytes() for writer in some]
    assert len(set(drawn)) == 50


def test_writer_keeps_a_style_but_varies_its_shape() -> None:
    """A writer always uses the same style for a digit, but never draws it identically."""
    writer, rng = next(writers(1))
    drawn = [write(4, rng, writer) for _ in range(10)]
    assert {len(paths) for paths in drawn} == {len(writer.styles[4].strokes)}
    assert len({rasterize(paths).tobytes() for paths in drawn}) == 10


def test_styles_are_chosen_by_weight() -> None:
    """Styles are chosen in proportion to their weights."""
    matching = [style for style in styles() if style.digit == 0]
    counts = Counter(writer.styles[0].name for writer, _ in itertools.islice(writers(1), 2000))
    whole = sum(style.weight for style in matching)
    for style in matching:
        share = style.weight / whole
        assert counts[style.name] / 2000 == pytest.approx(share, abs=4 * np.sqrt(share / 2000))


def test_style_without_variation_is_unchanged() -> None:
    """Without variation, the style is written as in the file; slant and turn have the expected effect."""
    (style,) = (style for style in styles() if named(style) == "1 serifs above and below")
    stem = steady(style)[0]
    assert np.ptp(stem[:, 0]) <= 3
    slanted = steady(style, slant=0.5)[0]
    assert slanted[0, 0] - slanted[-1, 0] == pytest.approx(0.5 * np.ptp(slanted[:, 1]), rel=0.25)
    assert np.ptp(steady(style, turn=np.pi / 2)[0][:, 1]) < 0.2 * np.ptp(stem[:, 1])


@pytest.mark.parametrize("amount", HABITS)
def test_each_habit_changes_the_strokes(amount: str) -> None:
    """Each habit changes the strokes, but does not tear the digit apart."""
    (style,) = (style for style in styles() if named(style) == "4 open")
    plain, changed = (
        np.concatenate(steady(style)),
        np.concatenate(steady(style, **{amount: 1.0 if amount == "hooks" else 0.05})),
    )
    assert changed.shape != plain.shape or not np.array_equal(changed, plain)
    assert np.ptp(changed, axis=0) == pytest.approx(np.ptp(plain, axis=0), rel=0.4)


def test_freedom_scales_the_variation() -> None:
    """Freedom scales the variation of a writer, but not the slant, width or size."""
    writer, _ = next(writers(1))
    held = writer.held_to(0.5)
    assert (held.warp, held.jitter) == (writer.warp / 2, writer.jitter / 2)
    assert (held.slant, held.width, held.size_px) == (writer.slant, writer.width, writer.size_px)
    (style,) = (style for style in styles() if named(style) == "1 long flag")
    assert 0 < style.freedom < 1


def test_rounding_leaves_the_ends() -> None:
    """Rounding keeps the ends of a stroke in place."""
    (style,) = (style for style in styles() if named(style) == "5 digital")
    sharp, smooth = (steady(style, rounding=amount)[0] for amount in (0.0, 3 * STEP))
    np.testing.assert_allclose(sharp[[0, -1]] - sharp[0], smooth[[0, -1]] - smooth[0], atol=3)
    assert len(sharp) > len(smooth)


def test_built_in_network_reads_most_generated_digits() -> None:
    """The built-in network, which was not trained on them, reads over 80 % of 1,000 generated digits."""
    recognizer = Recognizer(load_weights(SHIPPED))
    right = 0
    for writer, rng in itertools.islice(writers(5), 100):
        for digit in range(10):
            prediction = recognizer.read_paths(write(digit, rng, writer))
            assert prediction is not None
            right += prediction.digit == digit
    assert right > 800


def test_writers_are_random_by_default() -> None:
    """Without a writer, each digit is written by a random writer."""
    rng = np.random.default_rng(1)
    assert len({rasterize(write(3, rng)).tobytes() for _ in range(20)}) == 20
    assert isinstance(Writer.random(rng), Writer)


def test_writers_differ_in_proportion_and_sampling() -> None:
    """Some write narrow or wide digits, and some pens report only a few points per digit."""
    some = [writer for writer, _ in itertools.islice(writers(1), 300)]
    widths = [writer.width for writer in some]
    points_per_height = [writer.size_px / writer.spacing_px for writer in some]
    assert min(widths) < 0.6
    assert max(widths) > 1.8
    assert np.quantile(widths, 0.9) / np.quantile(widths, 0.1) < 2.5
    assert min(points_per_height) < 4
    assert max(points_per_height) > 40
