"""Generated non-digits: letters, symbols and shapes from a styles file, and random scribbles, blots and dots.

The writers of `digitpad.datasets.synthetic.pen` draw them, so only the shape distinguishes them from digits. Shapes
that a person could read as a digit are excluded as far as possible.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from digitpad import assets
from digitpad.datasets.synthetic.pen import N_DIGITS, StrokeCurve, Style, Writer, read_glyphs, write
from digitpad.ink.raster import without_specks
from digitpad.ink.strokes import CANVAS_PX
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE

STYLES = assets.DATA / "pen-others.toml"

GLYPH_SHARE = 0.85
"""Share of drawings from the styles file; the others are random drawings."""

STRAY = 1.4
"""Factor on jitter and warp compared with digits, because a letter has only a few styles and a digit about 25."""

BUSY = 5.0
"""Minimum ink length of a scribble, in multiples of its size. An 8 has a ratio of 3 to 4."""

FUNCTIONS = ("sin", "cos", "tan", "log", "lim", "exp", "max", "min")
LIKE_DIGITS = {"o": 0, "l": 1, "s": 5, "g": 9}
"""Letters of words that are drawn like a digit; alone, they are no kind of their own."""

_ANCHORS = np.stack(np.meshgrid((-0.4, 0.0, 0.4), (-0.5, 0.0, 0.5)), axis=-1).reshape(-1, 2)
_BETWEEN = (0.1, 0.4)  # gap between neighbours, in heights of a digit


@functools.cache
def glyphs() -> dict[str, tuple[Style, ...]]:
    """Return the built-in styles of non-digits, by kind."""
    return read_glyphs(STYLES)


@functools.cache
def kinds() -> dict[str, float]:
    """Return the relative frequency of each kind of drawing; the sum is 1."""
    by_style = {glyph: sum(style.weight for style in styles) for glyph, styles in glyphs().items()}
    random_kinds = {name: weight for name, (weight, _) in _RANDOM_KINDS.items()}
    return {
        name: share * weight / sum(weights.values())
        for share, weights in ((GLYPH_SHARE, by_style), (1 - GLYPH_SHARE, random_kinds))
        for name, weight in weights.items()
    }


def draw(kind: str, rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw something of that kind by this writer: a list of strokes of shape (n_points, 2), in whole canvas pixels.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    if kind in _RANDOM_KINDS:
        _, draw_random = _RANDOM_KINDS[kind]
        return draw_random(rng, writer)
    style, loose_writer = _random_style(glyphs()[kind], rng), looser(writer)
    while True:  # until no part would be removed as a speck: an i without its dot looks like a 1
        paths = write(style, rng, loose_writer)
        if len(without_specks(paths)) == len(paths):
            return paths


def looser(writer: Writer) -> Writer:
    """Return the writer with jitter and warp multiplied by `STRAY`, for drawing non-digits."""
    return dataclasses.replace(writer, jitter=STRAY * writer.jitter, warp=STRAY * writer.warp)


def _random_style(styles: Sequence[Style], rng: np.random.Generator) -> Style:
    """Choose a style at random, in proportion to the weights."""
    weights = np.cumsum([style.weight for style in styles])
    return styles[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]


def _style(strokes: Sequence[Floats], corners: bool = False) -> Style:
    """Return a style with strokes through points of shape (n_points, 2), in heights; smooth or with corners."""
    curves, start = [], 0
    for points in strokes:
        curves.append((slice(start, start + len(points)), StrokeCurve.through(points, [corners] * len(points))))
        start += len(points)
    points = np.concatenate(strokes)
    return Style(NONE, "by chance", 1.0, 1.0, points, points, tuple(curves))


def _scaled(style: Style, scale: Sequence[float]) -> Style:
    """Return a style scaled by the factors ``scale`` in x and y; a negative factor mirrors it."""
    ends = np.stack([style.low * scale, style.high * scale])
    return Style(NONE, style.name, style.weight, style.freedom, ends.min(axis=0), ends.max(axis=0), style.strokes)


def _combined(styles: Sequence[Style], offsets: Sequence[float]) -> Style:
    """Combine styles into a single style, each shifted to the right by its offset."""
    strokes = []
    start = 0
    for style in styles:
        strokes += [(slice(points.start + start, points.stop + start), curve) for points, curve in style.strokes]
        start += len(style.low)
    shifts = [np.array([offset, 0.0]) for offset in offsets]
    low = np.concatenate([style.low + shift for style, shift in zip(styles, shifts, strict=True)])
    high = np.concatenate([style.high + shift for style, shift in zip(styles, shifts, strict=True)])
    return Style(NONE, "together", 1.0, 1.0, low, high, tuple(strokes))


def _side_by_side(styles: Sequence[Style], rng: np.random.Generator) -> Style:
    """Place styles from left to right with gaps; only the variation of the hand can make neighbours touch."""
    offsets, right = [], 0.0
    for style in styles:
        middles = (style.low + style.high)[:, 0] / 2
        offsets.append(right - middles.min())
        right += float(np.ptp(middles)) + rng.uniform(*_BETWEEN)
    return _combined(styles, [offset - right / 2 for offset in offsets])


def _two_digits(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw two or three narrow digits side by side."""
    narrow = (rng.uniform(0.6, 1), 1)
    numbers = rng.integers(N_DIGITS, size=2 + int(rng.random() < 0.2))
    return write(_side_by_side([_scaled(writer.styles[number], narrow) for number in numbers], rng), rng, writer)


def _word(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw two to four letters side by side, or the name of a function as in a formula."""
    if rng.random() < 0.4:
        word = FUNCTIONS[rng.integers(len(FUNCTIONS))]
    else:
        letters = [glyph for glyph in glyphs() if len(glyph) == 1 and glyph.isalpha()]
        word = "".join(letters[number] for number in rng.integers(len(letters), size=rng.integers(2, 5)))
    styles = [
        writer.styles[LIKE_DIGITS[letter]] if letter in LIKE_DIGITS else _random_style(glyphs()[letter], rng)
        for letter in word
    ]
    return write(_side_by_side([_scaled(style, (rng.uniform(0.6, 1), 1)) for style in styles], rng), rng, writer)


def _crossed_out(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a digit crossed out by a zigzag, a random walk, a cross, or 2 to 4 lines (a 7 may have a single line)."""
    digit = writer.styles[rng.integers(N_DIGITS)]
    variant = rng.integers(4)
    if variant == 0:
        cross_out = _style([_hatching(rng, (7, 16), rng.uniform(0.6, 1.3), rng.uniform(0.5, 1.1))], corners=True)
    elif variant == 1:
        cross_out = _style([_random_walk(rng, (9, 20), 0.5)])
    elif variant == 2:
        cross_out = _style([np.array([[-0.6, -0.5], [0.6, 0.5]]), np.array([[0.6, -0.5], [-0.6, 0.5]])])
    else:
        heights = np.linspace(-0.3, 0.3, rng.integers(2, 5))
        slope = rng.uniform(-0.25, 0.1)
        cross_out = _style([np.array([[-0.65, height - slope], [0.65, height + slope]]) for height in heights])
    return write(_combined([digit, cross_out], [0, rng.normal(0, 0.05)]), rng, writer)


def _mirrored(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a mirrored 3, 7 or two-stroke 4; mirrored, 2 and 5 become each other, and other digits stay readable."""
    styles = [
        style for style in (writer.styles[digit] for digit in (3, 4, 7)) if style.digit != 4 or len(style.strokes) > 1
    ]
    return write(_scaled(styles[rng.integers(len(styles))], (-1, 1)), rng, writer)


def _random_walk(rng: np.random.Generator, n_points: tuple[int, int], reach: float) -> Floats:
    """Return the points of a random walk with a slowly changing direction, within ``reach`` of the centre."""
    turning = rng.uniform(0.3, 1.2)
    direction, turn = rng.uniform(0, 2 * math.pi), 0.0
    stride = rng.uniform(0.2, 0.45)
    point = rng.uniform(-reach, reach, 2)
    points = [point]
    for _ in range(rng.integers(*n_points) - 1):
        turn = 0.5 * turn + rng.normal(0, turning)
        direction += turn
        ahead = point + stride * rng.uniform(0.6, 1.4) * np.array([math.cos(direction), math.sin(direction)])
        if np.abs(ahead).max() > reach:
            ahead = np.clip(ahead, -reach, reach)
            direction = math.atan2(-point[1], -point[0]) + rng.normal(0, 0.6)
        point = ahead
        points.append(point)
    return np.array(points)


def _busy(draw_points: Callable[[], list[Floats]], least: float = BUSY) -> list[Floats]:
    """Return the first drawing that is not narrow and has ink longer than ``least`` times its size, unlike a digit."""
    while True:
        strokes = draw_points()
        ink = sum(float(np.hypot(*np.diff(points, axis=0).T).sum()) for points in strokes)
        sizes = np.ptp(np.concatenate(strokes), axis=0)
        if ink > least * sizes.max() and sizes.min() > 0.4 * sizes.max():
            return strokes


def _scribble(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw one or two long random walks."""
    strokes = _busy(lambda: [_random_walk(rng, (12, 40), 0.5) for _ in range(rng.integers(1, 3))])
    return write(_style(strokes), rng, writer)


def _tangle(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a line through random points."""
    shape = np.array([rng.uniform(0.5, 1.5), 1])
    strokes = _busy(lambda: [rng.uniform(-0.5, 0.5, (rng.integers(8, 30), 2)) * shape])
    return write(_style(strokes, corners=rng.random() < 0.3), rng, writer)


def _invented_sign(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a sign of no script: several lines, curves, rings and angles, each starting on an earlier one."""
    return write(_style(_busy(lambda: _sign(rng), 3.6), corners=rng.random() < 0.3), rng, writer)


def _sign(rng: np.random.Generator) -> list[Floats]:
    used: list[Floats] = [rng.choice(_ANCHORS)]
    strokes = []
    for _ in range(rng.integers(4, 7)):
        start = used[rng.integers(len(used))] + rng.normal(0, 0.03, 2)
        if rng.random() < 0.15:
            angles = rng.uniform(0, 2 * math.pi) + np.linspace(0, 2 * math.pi, 8)
            radii = rng.uniform(0.1, 0.25, 2)
            strokes.append(start + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1))
            used.append(strokes[-1][rng.integers(8)])
            continue
        far = _ANCHORS[np.hypot(*(_ANCHORS - start).T) > 0.4]
        end = rng.choice(far) + rng.normal(0, 0.05, 2)
        ahead = end - start
        aside = rng.normal(0, 0.3) * np.array([-ahead[1], ahead[0]])
        strokes.append(np.array([start, (start + end) / 2 + (aside if rng.random() < 0.6 else 0), end]))
        used += [end, strokes[-1][1]]
    return strokes


def _hatching(rng: np.random.Generator, n_turns: tuple[int, int], width: float, height: float) -> Floats:
    """Return the points of a zigzag between two sides."""
    turns = np.arange(rng.integers(*n_turns))
    along = (turns / turns[-1] - 0.5) * height
    across = width * np.where(turns % 2, 0.5, -0.5) * rng.uniform(0.7, 1.1, len(turns))
    if rng.random() < 0.4:  # fills a round patch
        across *= np.sqrt(np.maximum(1.1 - (2 * along / height) ** 2, 0.1))
    angle = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.5)
    return np.stack([across, along], axis=1) @ _rotation(angle)


def _rotation(angle: float) -> Floats:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def _hatch(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw one or two zigzags."""
    strokes = [
        _hatching(rng, (8, 26), rng.uniform(0.4, 1), rng.uniform(0.5, 1.2)) for _ in range(1 + int(rng.random() < 0.3))
    ]
    return write(_style(strokes, corners=rng.random() < 0.6), rng, writer)


def _lines(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw several straight lines in random directions."""
    strokes = []
    for _ in range(rng.integers(4, 10)):
        angle, half = rng.uniform(0, math.pi), rng.uniform(0.15, 0.6)
        reach = half * np.array([math.cos(angle), math.sin(angle)])
        middle = rng.uniform(-0.4, 0.4, 2)
        strokes.append(np.array([middle - reach, middle + reach]))
    return write(_style(strokes), rng, writer)


def _overlaid(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw several short random walks on top of each other."""
    strokes = _busy(lambda: [_random_walk(rng, (4, 9), 0.5) for _ in range(rng.integers(3, 6))])
    return write(_style(strokes), rng, writer)


def _blot(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a filled patch, by a spiral from its centre or by a zigzag."""
    flat = np.array([1, rng.uniform(0.4, 1)])
    if rng.random() < 0.5:
        n_rounds = rng.integers(4, 8)
        angles = np.arange(n_rounds * 10) * (2 * math.pi / 10)
        lobes = 1 + sum(rng.normal(0, 0.12) * np.sin(k * angles + rng.uniform(0, 2 * math.pi)) for k in (1, 2, 3))
        radii = 0.5 * lobes * angles / angles[-1]
        points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    else:
        points = _hatching(rng, (18, 32), 1, 1)
    return write(_style([points * flat @ _rotation(rng.uniform(0, math.pi))]), rng, writer)


def _dot(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw a dot: a single point, the same point twice, a short dash, or a small blob of points."""
    position = rng.integers(20, CANVAS_PX - 20, 2)
    variant = rng.random()
    if variant < 0.6:
        return [np.repeat(position[None], rng.integers(1, 3), axis=0).astype(float)]
    if variant < 0.7:  # a flat dash: an upright dash would look like a 1
        return [np.array([position, position + rng.integers((2, 0), (9, 2))], float)]
    return [(position + rng.integers(-2, 3, (rng.integers(8, 20), 2))).astype(float)]


def _dots(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Draw separate dots of one point each; of several dashes, all but the longest would be removed as specks."""
    n_dots = rng.integers(2, 8)
    if rng.random() < 0.3:  # in a row
        positions = np.arange(n_dots)[:, None] * np.array([1, rng.normal(0, 0.5)]) + rng.normal(0, 0.1, (n_dots, 2))
    else:
        positions = rng.uniform(0, 1, (n_dots, 2))
    positions -= positions.min(axis=0)
    positions *= rng.uniform(20, 400) / positions.max()
    corner = rng.uniform(8, CANVAS_PX - 8 - positions.max(axis=0))
    return [np.rint(position + corner)[None] for position in positions]


_RANDOM_KINDS: dict[str, tuple[float, Callable[[np.random.Generator, Writer], list[Floats]]]] = {
    "scribble": (4, _scribble),
    "tangle": (2, _tangle),
    "hatching": (2.5, _hatch),
    "invented sign": (3, _invented_sign),
    "lines": (1.5, _lines),
    "overlaid strokes": (1.5, _overlaid),
    "blot": (2.5, _blot),
    "dot": (1, _dot),
    "dots": (1, _dots),
    "two digits": (2.5, _two_digits),
    "word": (4, _word),
    "crossed-out digit": (2, _crossed_out),
    "mirrored digit": (1.5, _mirrored),
}
