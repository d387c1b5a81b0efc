"""Digits as hands write them: styles read from a file, and writers that write them, each in a hand of its own.

A style is the path of a pen through a few points; a writer slants, stretches, rounds and shakes all that they write in
one way, and every time a little differently. What comes out are strokes in canvas pixels, like those of the pad.
"""

import dataclasses
import functools
import itertools
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitpad import assets
from digitpad.errors import InkError
from digitpad.ink.raster import PEN_RADIUS_PX
from digitpad.ink.strokes import CANVAS_PX
from digitpad.nn.arrays import Floats
from digitpad.nn.losses import NONE

STYLES = assets.DATA / "pen-digits.toml"

N_DIGITS = 10
PIECES = 10
"""A curve from one point of a style to the next is followed in this many straight pieces."""

STEP = 0.025
"""Paths are smoothed and shaken at points this far apart, in heights of a digit."""

_RANGE = r"(-?\d+(?:\.\d+)?)(?:\.\.(-?\d+(?:\.\d+)?))?"
_POINT = re.compile(rf"{_RANGE},{_RANGE}(!?)")


@dataclass(frozen=True, eq=False)
class StrokeCurve:
    """A smooth path through some points, with corners at some of them: linear in the points, so two matrices.

    With a ``bend`` of 0 the path leads straight from point to point; with 1 it is a centripetal Catmull-Rom spline.

    Attributes
    ----------
    straight, bent : ndarray of shape (n_path, n_points)
        What makes the path of the points, and what a full bend adds to it.
    """

    straight: Floats
    bent: Floats

    @classmethod
    def through(cls, points: Floats, corners: Sequence[bool]) -> Self:
        """Through points like these, of shape (n_points, 2)."""
        n_pieces = len(points) - 1
        times = np.sqrt(np.hypot(*np.diff(points, axis=0).T)) + 1e-3  # centripetal: no cusps or loops of its own
        identity = np.eye(len(points))
        chords = np.diff(identity, axis=0)
        t = np.linspace(0, 1, PIECES + 1)[:-1, None]
        straight, bent = [], []
        for piece in range(n_pieces):
            # A cubic that leaves and arrives with these velocities; what is linear in t is the straight part.
            leave = chords[piece] if corners[piece] else _velocity(chords, times, piece, piece)
            arrive = chords[piece] if corners[piece + 1] else _velocity(chords, times, piece + 1, piece)
            straight.append(identity[piece] + t * chords[piece])
            bent.append(t * (1 - t) * ((1 - t) * (leave - chords[piece]) - t * (arrive - chords[piece])))
        straight.append(identity[-1:])
        bent.append(np.zeros_like(identity[-1:]))
        return cls(np.concatenate(straight), np.concatenate(bent))

    def __call__(self, points: Floats, bend: float) -> Floats:
        return (self.straight + bend * self.bent) @ points


def _velocity(chords: Floats, times: Floats, point: int, piece: int) -> Floats:
    """At a point, of the parabola through it and its neighbours, in units of the time that ``piece`` takes."""
    if point == 0 or point == len(chords):
        return chords[piece]
    before, after = times[point - 1], times[point]
    velocity = (chords[point - 1] / before * after + chords[point] / after * before) / (before + after)
    return velocity * times[piece]


@dataclass(frozen=True, eq=False)
class Style:
    """One way to write a digit.

    Attributes
    ----------
    digit : int
        Or `NONE`, where it writes something else.
    name : str
    weight : float
        How common it is, compared with the other styles of the digit.
    freedom : float
        How much of a writer's carelessness it stands before it might be read as another digit.
    low, high : ndarray of shape (n_points, 2)
        Between which the points of all strokes lie, in heights of the digit; (0, 0) is in its middle.
    strokes : tuple of (slice, Curve)
        Which of the points each stroke leads through, and how.
    """

    digit: int
    name: str
    weight: float
    freedom: float
    low: Floats
    high: Floats
    strokes: tuple[tuple[slice, StrokeCurve], ...]


@functools.cache
def styles() -> tuple[Style, ...]:
    """The shipped styles, in the order of their digits."""
    return read_styles(STYLES)


@functools.cache
def _of_digit(digit: int) -> tuple[tuple[Style, ...], NDArray[np.float64]]:
    """The shipped styles of a digit, and how probable each and those before it are."""
    own = tuple(style for style in styles() if style.digit == digit)
    weights = np.cumsum([style.weight for style in own])
    return own, weights / weights[-1]


def read_styles(path: Path) -> tuple[Style, ...]:
    """The styles in a TOML file such as ``data/pen-digits.toml``, which tells how they are written.

    Raises
    ------
    InkError
        If the file cannot be read, a style in it cannot be, or a digit has none; it names the style.
    """
    glyphs = read_glyphs(path)
    expected = [str(digit) for digit in range(N_DIGITS)]
    if sorted(glyphs) != expected:
        raise InkError(path, f"has styles of {', '.join(sorted(glyphs)) or 'nothing'}; expected {', '.join(expected)}")
    return tuple(style for digit in expected for style in glyphs[digit])


def read_glyphs(path: Path) -> dict[str, tuple[Style, ...]]:
    """The styles in a TOML file of that format, by what they write, be it a digit or not.

    Raises
    ------
    InkError
        If the file cannot be read, or a style in it cannot be; it names the style.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InkError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InkError(path, f"is not TOML ({error})") from error
    digits = {str(digit): digit for digit in range(N_DIGITS)}
    glyphs = {}
    for glyph, styles_of_it in tables.items():
        is_list = isinstance(styles_of_it, list) and all(isinstance(table, dict) for table in styles_of_it)
        if not is_list or not styles_of_it:
            raise InkError(path, f"{glyph} is not a list of styles, each under [[{glyph}]]")
        found = []
        for number, table in enumerate(styles_of_it, 1):
            name = table.get("name", f"number {number}")
            try:
                found.append(_style(digits.get(glyph, NONE), **{"name": name, **table}))
            except (ValueError, TypeError) as error:
                raise InkError(path, f"style {name!r} of {glyph}: {error}") from error
        glyphs[glyph] = tuple(found)
    return glyphs


def _style(digit: int, name: str, strokes: list[str], weight: float = 1.0, freedom: float = 1.0) -> Style:
    if not 0 < weight < math.inf:
        raise ValueError(f"its weight is {weight}; expected more than 0")
    if not 0 <= freedom <= 1:
        raise ValueError(f"its freedom is {freedom}; expected 0 to 1")
    if not strokes:
        raise ValueError("it has no strokes")
    low: list[list[float]] = []
    high: list[list[float]] = []
    curves = []
    for stroke in strokes:
        begin = len(low)
        corners = []
        for text in stroke.split():
            match = _POINT.fullmatch(text)
            if match is None:
                raise ValueError(f"{text!r} is not a point such as '50,0', '80,3!' or '20..35,10..25'")
            x, x_to, y, y_to, corner = match.groups()
            low.append([float(x), float(y)])
            high.append([float(x_to or x), float(y_to or y)])
            corners.append(bool(corner))
            if low[-1][0] > high[-1][0] or low[-1][1] > high[-1][1]:
                raise ValueError(f"{text!r} has a range that ends before it begins")
        if len(corners) < 2:
            raise ValueError(f"the stroke {stroke!r} has fewer than two points")
        some = slice(begin, len(low))
        curves.append((some, StrokeCurve.through((np.array(low[some]) + np.array(high[some])) / 2, corners)))
    return Style(digit, name, weight, freedom, np.array(low) / 100 - 0.5, np.array(high) / 100 - 0.5, tuple(curves))


@dataclass(frozen=True, eq=False)
class Writer:
    """A hand, and what it keeps from digit to digit. Lengths are in heights of a digit where no unit is named.

    Attributes
    ----------
    styles : tuple of Style
        The one in which each digit is written.
    size_px : float
        How high digits are on the canvas.
    slant : float
        How far the top leans to the right of the bottom.
    turn : float
        By how much all is turned clockwise, in radians.
    width : float
        By how much digits are wider than their styles.
    bend : float
        From straight lines (0) to round ones (1 and more).
    rounding : float
        Within what length corners are cut, as fast hands do.
    jitter : float
        How far points stray, each on its own.
    sway : float
        How far slant, turn, width and size differ from digit to digit.
    proportion : float
        How far what is above and below, or left and right, differs in size from the style.
    warp : float
        How far regions of the digit stray, so that strokes that meet still meet.
    gap : float
        How far a stroke strays as a whole.
    reach : float
        How far a stroke ends before or beyond its end.
    hooks : float
        How probable it is that the pen lands or leaves with a hook.
    tremor : float
        How far the hand shakes.
    spacing_px : float
        How far the points are apart that pen or mouse report.
    pen_radius_px : float
        Of the pen that draws the digit into the network's pixels.
    """

    styles: tuple[Style, ...]
    size_px: float
    slant: float
    turn: float
    width: float
    bend: float
    rounding: float
    jitter: float
    sway: float
    proportion: float
    warp: float
    gap: float
    reach: float
    hooks: float
    tremor: float
    spacing_px: float
    pen_radius_px: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Anyone."""
        own = []
        for digit in range(N_DIGITS):
            some, shares = _of_digit(digit)
            own.append(some[int(np.searchsorted(shares, rng.random(), side="right"))])
        care = math.exp(rng.normal(0, 0.3))  # below 1 for neat hands, above for hasty ones
        other_pen = rng.random() < 0.25
        return cls(
            styles=tuple(own),
            size_px=rng.uniform(120, 400),
            slant=float(np.clip(rng.normal(0.08, 0.21), -0.4, 0.55)),
            turn=rng.normal(0, 0.06),
            width=math.exp(rng.normal(0, 0.17)),
            bend=rng.uniform(0.5, 1.2),
            rounding=abs(rng.normal(0, 0.03)) * care,
            jitter=0.022 * care,
            sway=0.05,
            proportion=0.15,
            warp=0.038 * care,
            gap=0.02 * care,
            reach=0.035 * care,
            hooks=rng.uniform(0, 0.2) ** 1.5,
            tremor=abs(rng.normal(0, 0.004)),
            spacing_px=rng.uniform(3, 30),
            pen_radius_px=rng.uniform(0.8, 1.5) if other_pen else PEN_RADIUS_PX,
        )

    def held_to(self, freedom: float) -> Self:
        """The same hand, taking more care: a ``freedom`` of 1 leaves it as it is."""
        careless = ("turn", "jitter", "sway", "proportion", "warp", "gap", "reach")
        return dataclasses.replace(self, **{name: freedom * getattr(self, name) for name in careless})


def write(what: int | Style, rng: np.random.Generator, writer: Writer | None = None) -> list[Floats]:
    """A digit, or a style of one, as someone writes it.

    Parameters
    ----------
    what : int or Style
        A digit is written in the writer's own style.
    rng : numpy.random.Generator
    writer : Writer, optional
        Anyone, if it is not given.

    Returns
    -------
    list of ndarray of shape (n_points, 2)
        The strokes: whole canvas pixels, y growing downwards.
    """
    writer = writer or Writer.random(rng)
    style = what if isinstance(what, Style) else writer.styles[what]
    writer = writer.held_to(style.freedom)
    points = rng.uniform(style.low, style.high) + rng.normal(0, writer.jitter, style.low.shape)
    bend = writer.bend * rng.uniform(0.8, 1.2)
    paths = [curve(points[some], bend) for some, curve in style.strokes]
    ends = np.cumsum([len(path) for path in paths])[:-1]
    paths = np.split(_warped(np.concatenate(paths), writer, rng), ends)
    paths = [_by_hand(path, writer, rng) for path in paths]
    return _on_canvas(paths, writer, rng)


def writers(seed: int) -> Iterator[tuple[Writer, np.random.Generator]]:
    """Any number of writers, each with the generator to write with; of the same seed, always the same."""
    for number in itertools.count():
        rng = np.random.default_rng([seed, number])
        yield Writer.random(rng), rng


def _warped(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """Other proportions: of above and below, of left and right, and a smooth wave over the whole plane."""
    x, y = path.T
    waist, middle, taper = rng.normal(0, writer.proportion, 3).clip(-0.4, 0.4)
    y = y + waist * (0.25 - y * y)
    x = (x + middle * (0.25 - x * x)) * (1 + taper * y)
    warped = np.stack([x, y], axis=1)
    waves = rng.normal(0, 3.5, (2, 4))  # radians a height: about half a period
    heights = rng.normal(0, writer.warp / math.sqrt(2), (4, 2))
    return warped + np.sin(warped @ waves + rng.uniform(0, 2 * math.pi, 4)) @ heights


def _by_hand(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """A stroke with ends that are not where they should be, corners cut, and tremor."""
    path = path + rng.normal(0, writer.gap, 2)
    for _ in range(2):  # the end, then the start, turned back to front
        path = _ended(path, writer, rng)[::-1]
    path = _evenly(path, STEP)
    path = _smoothed(path, writer.rounding * rng.uniform(0.5, 1.5))
    if writer.tremor:
        path = path + writer.tremor * 2.4 * _smoothed(rng.standard_normal(path.shape), 1.5 * STEP)
    return path


def _ended(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """The path made a little longer or shorter at its end, perhaps with a hook."""
    lengths = np.hypot(*np.diff(path, axis=0).T)
    whole = float(lengths.sum())
    reach = float(np.clip(rng.normal(0, writer.reach), -0.15 * whole, 0.15 * whole))
    if reach < 0:
        kept = np.cumsum(lengths) <= whole + reach
        path = path[: max(2, int(kept.sum()) + 1)]
    last = path[-1] - path[max(-4, -len(path))]
    ahead = last / max(float(np.hypot(*last)), 1e-9)
    if reach > 0:
        path = np.concatenate([path, path[-1:] + reach * ahead])
    if rng.random() < writer.hooks and whole > 0.3:
        angle = rng.choice([-1, 1]) * rng.uniform(1.2, 2.8)
        turned = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) @ ahead
        path = np.concatenate([path, path[-1:] + rng.uniform(0.03, 0.09) * turned])
    return path


def _evenly(path: Floats, spacing: float) -> Floats:
    """Points along the path this far apart, or a little nearer; at least two."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.linspace(0, along[-1], max(2, math.ceil(along[-1] / spacing) + 1))
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def _smoothed(values: Floats, sigma: float) -> Floats:
    """Values, `STEP` apart, averaged with a Gaussian; the first and the last stay where they are."""
    reach = min(math.ceil(3 * sigma / STEP), len(values) - 1)
    if reach < 1:
        return values
    kernel = np.exp(-((np.arange(-reach, reach + 1) * STEP / sigma) ** 2) / 2)
    kernel /= kernel.sum()
    before, after = 2 * values[0] - values[reach:0:-1], 2 * values[-1] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)


def _on_canvas(paths: list[Floats], writer: Writer, rng: np.random.Generator) -> list[Floats]:
    """Stretched, slanted, turned, as large as the writer writes, and in whole pixels somewhere on the canvas."""
    slant = writer.slant + rng.normal(0, writer.sway)
    turn = writer.turn + rng.normal(0, writer.sway)
    width = writer.width * math.exp(rng.normal(0, 1.6 * writer.sway))
    size_px = writer.size_px * math.exp(rng.normal(0, 1.6 * writer.sway))
    cosine, sine = math.cos(turn), math.sin(turn)
    shape = size_px * np.array([[width, 0], [-slant, 1]]) @ np.array([[cosine, sine], [-sine, cosine]])
    paths = [_evenly(path @ shape, writer.spacing_px) for path in paths]
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = min(1.0, (CANVAS_PX - 2) / float((high - low).max()))
    corner = rng.uniform(0, CANVAS_PX - zoom * (high - low))
    return [np.rint((path - low) * zoom + corner) for path in paths]
