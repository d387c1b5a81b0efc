"""What people draw that is no digit: letters, signs and shapes by their styles, scribbles, blots and dots by chance.

All of it is written by the writers of `digitpad.datasets.synthetic.pen`, so that nothing but the shape tells
it from a digit. What a person could take for a digit is left out as far as possible.
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

GLYPH_SHARE = 0.8
"""How much of all is drawn by styles; the rest comes about by chance."""

STRAY = 1.4
"""How much further points and regions stray than in digits: a letter has a few styles here, a digit some 25."""

BUSY = 5.0
"""Sizes of a drawing that the ink of a scribble is long; that of an 8 is 3 to 4."""

_ANCHORS = np.stack(np.meshgrid((-0.4, 0.0, 0.4), (-0.5, 0.0, 0.5)), axis=-1).reshape(-1, 2)
_BETWEEN = (0.1, 0.4)  # heights that neighbours are apart


@functools.cache
def glyphs() -> dict[str, tuple[Style, ...]]:
    """The shipped styles of what is no digit, by what they draw."""
    return read_glyphs(STYLES)


@functools.cache
def kinds() -> dict[str, float]:
    """All that is drawn, by name, and how common it is; the sum is 1."""
    by_style = {glyph: sum(style.weight for style in some) for glyph, some in glyphs().items()}
    by_chance = {name: weight for name, (weight, _) in _BY_CHANCE.items()}
    return {
        name: share * weight / sum(weights.values())
        for share, weights in ((GLYPH_SHARE, by_style), (1 - GLYPH_SHARE, by_chance))
        for name, weight in weights.items()
    }


def draw(kind: str, rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """One of that kind as this writer draws it: strokes of shape (n_points, 2), in whole canvas pixels.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    if kind in _BY_CHANCE:
        _, by_chance = _BY_CHANCE[kind]
        return by_chance(rng, writer)
    style, hand = _any_style(glyphs()[kind], rng), looser(writer)
    while True:  # until no part would be dropped as a speck: an i without its dot is a 1
        paths = write(style, rng, hand)
        if len(without_specks(paths)) == len(paths):
            return paths


def looser(writer: Writer) -> Writer:
    """The hand with which a writer draws a style of what is no digit; `STRAY` tells why."""
    return dataclasses.replace(writer, jitter=STRAY * writer.jitter, warp=STRAY * writer.warp)


def _any_style(some: Sequence[Style], rng: np.random.Generator) -> Style:
    """One of them, as often as their weights say."""
    weights = np.cumsum([style.weight for style in some])
    return some[int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))]


def _style(strokes: Sequence[Floats], corners: bool = False) -> Style:
    """Of strokes through these points, each of shape (n_points, 2) in heights, smooth or with a corner at each."""
    curves, begin = [], 0
    for points in strokes:
        curves.append((slice(begin, begin + len(points)), StrokeCurve.through(points, [corners] * len(points))))
        begin += len(points)
    points = np.concatenate(strokes)
    return Style(NONE, "by chance", 1.0, 1.0, points, points, tuple(curves))


def _stretched(style: Style, scale: Sequence[float]) -> Style:
    """Wider and higher by the factors ``scale``, or mirrored where one is negative."""
    ends = np.stack([style.low * scale, style.high * scale])
    return Style(NONE, style.name, style.weight, style.freedom, ends.min(axis=0), ends.max(axis=0), style.strokes)


def _together(some: Sequence[Style], places: Sequence[float]) -> Style:
    """All of them as one, each moved to the right by its place."""
    strokes = []
    begin = 0
    for style in some:
        strokes += [(slice(where.start + begin, where.stop + begin), curve) for where, curve in style.strokes]
        begin += len(style.low)
    shifts = [np.array([place, 0.0]) for place in places]
    low = np.concatenate([style.low + shift for style, shift in zip(some, shifts, strict=True)])
    high = np.concatenate([style.high + shift for style, shift in zip(some, shifts, strict=True)])
    return Style(NONE, "together", 1.0, 1.0, low, high, tuple(strokes))


def _side_by_side(some: Sequence[Style], rng: np.random.Generator) -> Style:
    """From left to right, none touching its neighbour but by a stray of the hand."""
    places, right = [], 0.0
    for style in some:
        middles = (style.low + style.high)[:, 0] / 2
        places.append(right - middles.min())
        right += float(np.ptp(middles)) + rng.uniform(*_BETWEEN)
    return _together(some, [place - right / 2 for place in places])


def _two_digits(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    narrow = (rng.uniform(0.6, 1), 1)
    numbers = rng.integers(N_DIGITS, size=2 + int(rng.random() < 0.2))
    return write(_side_by_side([_stretched(writer.styles[number], narrow) for number in numbers], rng), rng, writer)


def _word(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    letters = [glyph for glyph in glyphs() if len(glyph) == 1 and glyph.isalpha()]
    some = [
        _any_style(glyphs()[letters[number]], rng) for number in rng.integers(len(letters), size=rng.integers(2, 5))
    ]
    return write(_side_by_side([_stretched(style, (rng.uniform(0.6, 1), 1)) for style in some], rng), rng, writer)


def _crossed_out(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """By a zigzag, a wild line, a cross, or two or more lines: one line alone may be part of a 0 or a 7."""
    digit = writer.styles[rng.integers(N_DIGITS)]
    way = rng.integers(4)
    if way == 0:
        over = _style([_hatching(rng, (7, 16), rng.uniform(0.6, 1.3), rng.uniform(0.5, 1.1))], corners=True)
    elif way == 1:
        over = _style([_wandering(rng, (9, 20), 0.5)])
    elif way == 2:
        over = _style([np.array([[-0.6, -0.5], [0.6, 0.5]]), np.array([[0.6, -0.5], [-0.6, 0.5]])])
    else:
        heights = np.linspace(-0.3, 0.3, rng.integers(2, 5))
        slope = rng.uniform(-0.25, 0.1)
        over = _style([np.array([[-0.65, height - slope], [0.65, height + slope]]) for height in heights])
    return write(_together([digit, over], [0, rng.normal(0, 0.05)]), rng, writer)


def _mirrored(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """A 3, a 7, or a 4 of two strokes; of the others, 2 and 5 become each other, and the rest stays readable."""
    some = [
        style for style in (writer.styles[digit] for digit in (3, 4, 7)) if style.digit != 4 or len(style.strokes) > 1
    ]
    return write(_stretched(some[rng.integers(len(some))], (-1, 1)), rng, writer)


def _wandering(rng: np.random.Generator, n_points: tuple[int, int], reach: float) -> Floats:
    """A walk that keeps to its direction for a while, held within ``reach`` of the middle."""
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
    """The first drawing with so much ink, in its sizes, that it is no digit by chance; and it is no line."""
    while True:
        strokes = draw_points()
        ink = sum(float(np.hypot(*np.diff(points, axis=0).T).sum()) for points in strokes)
        sizes = np.ptp(np.concatenate(strokes), axis=0)
        if ink > least * sizes.max() and sizes.min() > 0.4 * sizes.max():
            return strokes


def _scribble(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    strokes = _busy(lambda: [_wandering(rng, (12, 40), 0.5) for _ in range(rng.integers(1, 3))])
    return write(_style(strokes), rng, writer)


def _tangle(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    shape = np.array([rng.uniform(0.5, 1.5), 1])
    strokes = _busy(lambda: [rng.uniform(-0.5, 0.5, (rng.integers(8, 30), 2)) * shape])
    return write(_style(strokes, corners=rng.random() < 0.3), rng, writer)


def _invented(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """A sign of no script: several lines, bows, rings and angles, each begun where another went."""
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
    """Back and forth from one side to the other."""
    turns = np.arange(rng.integers(*n_turns))
    along = (turns / turns[-1] - 0.5) * height
    across = width * np.where(turns % 2, 0.5, -0.5) * rng.uniform(0.7, 1.1, len(turns))
    if rng.random() < 0.4:  # as of a round patch
        across *= np.sqrt(np.maximum(1.1 - (2 * along / height) ** 2, 0.1))
    angle = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.5)
    return np.stack([across, along], axis=1) @ _turned(angle)


def _turned(angle: float) -> Floats:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def _hatch(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    strokes = [
        _hatching(rng, (8, 26), rng.uniform(0.4, 1), rng.uniform(0.5, 1.2)) for _ in range(1 + int(rng.random() < 0.3))
    ]
    return write(_style(strokes, corners=rng.random() < 0.6), rng, writer)


def _lines(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    strokes = []
    for _ in range(rng.integers(4, 10)):
        angle, half = rng.uniform(0, math.pi), rng.uniform(0.15, 0.6)
        reach = half * np.array([math.cos(angle), math.sin(angle)])
        middle = rng.uniform(-0.4, 0.4, 2)
        strokes.append(np.array([middle - reach, middle + reach]))
    return write(_style(strokes), rng, writer)


def _overlaid(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    strokes = _busy(lambda: [_wandering(rng, (4, 9), 0.5) for _ in range(rng.integers(3, 6))])
    return write(_style(strokes), rng, writer)


def _blot(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """A patch filled from its middle, round by round, or back and forth."""
    flat = np.array([1, rng.uniform(0.4, 1)])
    if rng.random() < 0.5:
        n_rounds = rng.integers(4, 8)
        angles = np.arange(n_rounds * 10) * (2 * math.pi / 10)
        lobes = 1 + sum(rng.normal(0, 0.12) * np.sin(k * angles + rng.uniform(0, 2 * math.pi)) for k in (1, 2, 3))
        radii = 0.5 * lobes * angles / angles[-1]
        points = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    else:
        points = _hatching(rng, (18, 32), 1, 1)
    return write(_style([points * flat @ _turned(rng.uniform(0, math.pi))]), rng, writer)


def _dot(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """A press of the pen that reports one point, the same point twice, or a few of a blob."""
    place = rng.integers(20, CANVAS_PX - 20, 2)
    way = rng.random()
    if way < 0.6:
        return [np.repeat(place[None], rng.integers(1, 3), axis=0).astype(float)]
    if way < 0.7:  # a dash: upright it would be a 1
        return [np.array([place, place + rng.integers((2, 0), (9, 2))], float)]
    return [(place + rng.integers(-2, 3, (rng.integers(8, 20), 2))).astype(float)]


def _dots(rng: np.random.Generator, writer: Writer) -> list[Floats]:
    """Some apart from each other, each of one point: of dashes, all but the longest would be specks."""
    n_dots = rng.integers(2, 8)
    if rng.random() < 0.3:  # in a row
        places = np.arange(n_dots)[:, None] * np.array([1, rng.normal(0, 0.5)]) + rng.normal(0, 0.1, (n_dots, 2))
    else:
        places = rng.uniform(0, 1, (n_dots, 2))
    places -= places.min(axis=0)
    places *= rng.uniform(20, 400) / places.max()
    corner = rng.uniform(8, CANVAS_PX - 8 - places.max(axis=0))
    return [np.rint(place + corner)[None] for place in places]


_BY_CHANCE: dict[str, tuple[float, Callable[[np.random.Generator, Writer], list[Floats]]]] = {
    "scribble": (4, _scribble),
    "tangle": (2, _tangle),
    "hatching": (2.5, _hatch),
    "invented sign": (3, _invented),
    "lines": (1.5, _lines),
    "overlaid strokes": (1.5, _overlaid),
    "blot": (2.5, _blot),
    "dot": (1, _dot),
    "dots": (1, _dots),
    "two digits": (2.5, _two_digits),
    "word": (2.5, _word),
    "crossed-out digit": (2, _crossed_out),
    "mirrored digit": (1.5, _mirrored),
}
