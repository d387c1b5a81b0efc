"""Generated handwriting: digit styles read from a file, and random writers, each with an individual hand.

A style is the path of a pen through a few points. A writer has a characteristic slant, width, rounding and tremor, and
varies them a little from digit to digit. The result is strokes in canvas pixels, like those of the pad.
"""

# This module has more than 400 lines because a style, the curve through its points and the hand that varies them are
# one model: each of its constants is tuned together with the others, and half of the lines describe their units.

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
"""Number of straight segments per curve between two points of a style."""

STEP = 0.025
"""Distance between the points at which paths are smoothed and shaken, in heights of a digit."""

_RANGE = r"(-?\d+(?:\.\d+)?)(?:\.\.(-?\d+(?:\.\d+)?))?"
_POINT = re.compile(rf"{_RANGE},{_RANGE}(!?)")


@dataclass(frozen=True, eq=False)
class StrokeCurve:
    """Smooth path through points, with optional corners. It is linear in the points, hence stored as two matrices.

    With a ``bend`` of 0 the path is straight from point to point; with 1 it is a centripetal Catmull-Rom spline.

    Attributes
    ----------
    straight, bent : ndarray of shape (n_path, n_points)
        Matrix that maps the points to the straight path, and matrix that a full bend adds to it.
    """

    straight: Floats
    bent: Floats

    @classmethod
    def through(cls, points: Floats, corners: Sequence[bool]) -> Self:
        """Return the curve for points near these, of shape (n_points, 2); ``corners`` marks points with a corner."""
        n_pieces = len(points) - 1
        times = np.sqrt(np.hypot(*np.diff(points, axis=0).T)) + 1e-3  # centripetal: adds no cusps or loops
        identity = np.eye(len(points))
        chords = np.diff(identity, axis=0)
        t = np.linspace(0, 1, PIECES + 1)[:-1, None]
        straight, bent = [], []
        for piece in range(n_pieces):
            # A cubic with these velocities at both ends; its part linear in t is the straight path.
            start_velocity = chords[piece] if corners[piece] else _velocity(chords, times, piece, piece)
            end_velocity = chords[piece] if corners[piece + 1] else _velocity(chords, times, piece + 1, piece)
            straight.append(identity[piece] + t * chords[piece])
            bent.append(t * (1 - t) * ((1 - t) * (start_velocity - chords[piece]) - t * (end_velocity - chords[piece])))
        straight.append(identity[-1:])
        bent.append(np.zeros_like(identity[-1:]))
        return cls(np.concatenate(straight), np.concatenate(bent))

    def __call__(self, points: Floats, bend: float) -> Floats:
        """Return the path through the points, of shape (n_path, 2)."""
        return (self.straight + bend * self.bent) @ points


def _velocity(chords: Floats, times: Floats, point: int, piece: int) -> Floats:
    """Return the velocity of the parabola through a point and its neighbours, per duration of ``piece``."""
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
        The digit, or `NONE` for a non-digit.
    name : str
    weight : float
        Frequency relative to the other styles of the digit.
    freedom : float
        Share of a writer's variation that keeps the style readable as this digit, 0 to 1.
    low, high : ndarray of shape (n_points, 2)
        Range of each point of all strokes, in heights of the digit; (0, 0) is the centre.
    strokes : tuple of (slice, StrokeCurve)
        The points of each stroke, and the curve through them.
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
    """Return the built-in styles, ordered by digit."""
    return read_styles(STYLES)


@functools.cache
def _styles_of_digit(digit: int) -> tuple[tuple[Style, ...], NDArray[np.float64]]:
    """Return the built-in styles of a digit, and their cumulative probabilities."""
    matching = tuple(style for style in styles() if style.digit == digit)
    weights = np.cumsum([style.weight for style in matching])
    return matching, weights / weights[-1]


def read_styles(path: Path) -> tuple[Style, ...]:
    """Read the digit styles in a TOML file such as ``data/pen-digits.toml``, which documents the format.

    Raises
    ------
    InkError
        If the file cannot be read, a style is invalid (the message names it), or a digit has no style.
    """
    glyphs = read_glyphs(path)
    expected = [str(digit) for digit in range(N_DIGITS)]
    if sorted(glyphs) != expected:
        raise InkError(path, f"has styles for {', '.join(sorted(glyphs)) or 'nothing'}; expected {', '.join(expected)}")
    return tuple(style for digit in expected for style in glyphs[digit])


def read_glyphs(path: Path) -> dict[str, tuple[Style, ...]]:
    """Read the styles in a TOML file of the same format, by glyph: a digit or any other kind.

    Raises
    ------
    InkError
        If the file cannot be read, or a style is invalid; the message names the style.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InkError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InkError(path, f"is not TOML ({error})") from error
    digits = {str(digit): digit for digit in range(N_DIGITS)}
    glyphs = {}
    for glyph, entries in tables.items():
        is_list = isinstance(entries, list) and all(isinstance(table, dict) for table in entries)
        if not is_list or not entries:
            raise InkError(path, f"{glyph} is not a list of styles, each under [[{glyph}]]")
        glyph_styles = []
        for number, table in enumerate(entries, 1):
            name = table.get("name", f"number {number}")
            try:
                glyph_styles.append(_style(digits.get(glyph, NONE), **{"name": name, **table}))
            except (ValueError, TypeError) as error:
                raise InkError(path, f"style {name!r} of {glyph}: {error}") from error
        glyphs[glyph] = tuple(glyph_styles)
    return glyphs


def _style(digit: int, name: str, strokes: list[str], weight: float = 1.0, freedom: float = 1.0) -> Style:
    if not 0 < weight < math.inf:
        raise ValueError(f"weight is {weight}; expected a number above 0")
    if not 0 <= freedom <= 1:
        raise ValueError(f"freedom is {freedom}; expected 0 to 1")
    if not strokes:
        raise ValueError("has no strokes")
    low: list[list[float]] = []
    high: list[list[float]] = []
    curves = []
    for stroke in strokes:
        start = len(low)
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
                raise ValueError(f"{text!r} has a range that ends below its start")
        if len(corners) < 2:
            raise ValueError(f"the stroke {stroke!r} has fewer than two points")
        points = slice(start, len(low))
        curves.append((points, StrokeCurve.through((np.array(low[points]) + np.array(high[points])) / 2, corners)))
    return Style(digit, name, weight, freedom, np.array(low) / 100 - 0.5, np.array(high) / 100 - 0.5, tuple(curves))


@dataclass(frozen=True, eq=False)
class Writer:
    """Writer with a characteristic hand. Lengths without a unit are in heights of a digit.

    Attributes
    ----------
    styles : tuple of Style
        Style of each digit.
    size_px : float
        Height of digits on the canvas.
    slant : float
        Shift of the top to the right, relative to the bottom.
    turn : float
        Clockwise rotation, in radians.
    width : float
        Factor on the width of the style.
    bend : float
        Curvature of strokes: 0 is straight, 1 is round, larger is rounder.
    rounding : float
        Length over which corners are rounded, as in fast writing.
    jitter : float
        Random displacement of single points.
    sway : float
        Variation of slant, turn, width and size from digit to digit.
    proportion : float
        Variation of the proportions between upper and lower, and left and right parts.
    warp : float
        Smooth random displacement of regions, which keeps joined strokes joined.
    gap : float
        Random displacement of whole strokes.
    reach : float
        Random shortening or lengthening of stroke ends.
    hooks : float
        Probability of a hook at a stroke end.
    tremor : float
        Amplitude of the tremor.
    spacing_px : float
        Distance between the points that the pen or mouse reports.
    pen_radius_px : float
        Radius of the pen that draws the digit into the network input.
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
        """Return a random writer."""
        writer_styles = []
        for digit in range(N_DIGITS):
            candidates, shares = _styles_of_digit(digit)
            writer_styles.append(candidates[int(np.searchsorted(shares, rng.random(), side="right"))])
        carelessness = math.exp(rng.normal(0, 0.3))  # below 1 for neat writers, above 1 for hasty writers
        other_pen = rng.random() < 0.25
        odd_width = rng.random() < 0.2  # as in narrow columns, or in exponents drawn quickly
        size_px = rng.uniform(120, 400)
        points_per_height = math.exp(rng.uniform(math.log(3.5), math.log(60)))  # few if the device or program is slow
        return cls(
            styles=tuple(writer_styles),
            size_px=size_px,
            slant=float(np.clip(rng.normal(0.08, 0.21), -0.4, 0.55)),
            turn=rng.normal(0, 0.06),
            width=math.exp(float(np.clip(rng.normal(0, 0.45 if odd_width else 0.17), -0.8, 0.8))),
            bend=rng.uniform(0.5, 1.2),
            rounding=abs(rng.normal(0, 0.03)) * carelessness,
            jitter=0.022 * carelessness,
            sway=0.05,
            proportion=0.15,
            warp=0.038 * carelessness,
            gap=0.02 * carelessness,
            reach=0.035 * carelessness,
            hooks=rng.uniform(0, 0.2) ** 1.5,
            tremor=abs(rng.normal(0, 0.004)),
            spacing_px=max(3.0, size_px / points_per_height),
            pen_radius_px=rng.uniform(0.8, 1.8) if other_pen else PEN_RADIUS_PX,
        )

    def held_to(self, freedom: float) -> Self:
        """Return this writer with its variation multiplied by ``freedom``; 1 changes nothing."""
        variations = ("turn", "jitter", "sway", "proportion", "warp", "gap", "reach")
        return dataclasses.replace(self, **{name: freedom * getattr(self, name) for name in variations})


def write(what: int | Style, rng: np.random.Generator, writer: Writer | None = None) -> list[Floats]:
    """Write a digit or a style.

    Parameters
    ----------
    what : int or Style
        A digit, which is written in the writer's style, or a style.
    rng : numpy.random.Generator
    writer : Writer, optional
        A random writer by default.

    Returns
    -------
    list of ndarray of shape (n_points, 2)
        Strokes in whole canvas pixels; y increases downwards.
    """
    writer = writer or Writer.random(rng)
    style = what if isinstance(what, Style) else writer.styles[what]
    writer = writer.held_to(style.freedom)
    points = rng.uniform(style.low, style.high) + rng.normal(0, writer.jitter, style.low.shape)
    bend = writer.bend * rng.uniform(0.8, 1.2)
    paths = [curve(points[indices], bend) for indices, curve in style.strokes]
    ends = np.cumsum([len(path) for path in paths])[:-1]
    paths = np.split(_warp(np.concatenate(paths), writer, rng), ends)
    paths = [_add_imperfections(path, writer, rng) for path in paths]
    return _place_on_canvas(paths, writer, rng)


def writers(seed: int) -> Iterator[tuple[Writer, np.random.Generator]]:
    """Yield an endless series of random writers, each with its generator; the same seed gives the same writers."""
    for number in itertools.count():
        rng = np.random.default_rng([seed, number])
        yield Writer.random(rng), rng


def _warp(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """Vary the proportions (upper to lower, left to right), and add a smooth wave over the whole plane."""
    x, y = path.T
    waist, middle, taper = rng.normal(0, writer.proportion, 3).clip(-0.4, 0.4)
    y = y + waist * (0.25 - y * y)
    x = (x + middle * (0.25 - x * x)) * (1 + taper * y)
    warped = np.stack([x, y], axis=1)
    waves = rng.normal(0, 3.5, (2, 4))  # radians per height: about half a period
    heights = rng.normal(0, writer.warp / math.sqrt(2), (4, 2))
    return warped + np.sin(warped @ waves + rng.uniform(0, 2 * math.pi, 4)) @ heights


def _add_imperfections(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """Displace a stroke, vary its ends, round its corners, and add tremor."""
    path = path + rng.normal(0, writer.gap, 2)
    for _ in range(2):  # once for each end: the path is reversed in between
        path = _vary_end(path, writer, rng)[::-1]
    path = _resample(path, STEP)
    path = _smooth(path, writer.rounding * rng.uniform(0.5, 1.5))
    if writer.tremor:
        path = path + writer.tremor * 2.4 * _smooth(rng.standard_normal(path.shape), 1.5 * STEP)
    return path


def _vary_end(path: Floats, writer: Writer, rng: np.random.Generator) -> Floats:
    """Make the path a little longer or shorter at its end, and sometimes add a hook."""
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


def _resample(path: Floats, spacing: float) -> Floats:
    """Return evenly spaced points along the path, at most ``spacing`` apart; at least two."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    at = np.linspace(0, along[-1], max(2, math.ceil(along[-1] / spacing) + 1))
    return np.stack([np.interp(at, along, path[:, 0]), np.interp(at, along, path[:, 1])], axis=1)


def _smooth(values: Floats, sigma: float) -> Floats:
    """Smooth values, which are `STEP` apart, with a Gaussian; the first and last value stay unchanged."""
    reach = min(math.ceil(3 * sigma / STEP), len(values) - 1)
    if reach < 1:
        return values
    kernel = np.exp(-((np.arange(-reach, reach + 1) * STEP / sigma) ** 2) / 2)
    kernel /= kernel.sum()
    before, after = 2 * values[0] - values[reach:0:-1], 2 * values[-1] - values[-2 : -reach - 2 : -1]
    padded = np.concatenate([before, values, after])
    return np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=1)


def _place_on_canvas(paths: list[Floats], writer: Writer, rng: np.random.Generator) -> list[Floats]:
    """Apply width, slant, rotation and size, and place the strokes at random on the canvas, in whole pixels."""
    slant = writer.slant + rng.normal(0, writer.sway)
    turn = writer.turn + rng.normal(0, writer.sway)
    width = writer.width * math.exp(rng.normal(0, 1.6 * writer.sway))
    size_px = writer.size_px * math.exp(rng.normal(0, 1.6 * writer.sway))
    cosine, sine = math.cos(turn), math.sin(turn)
    shape = size_px * np.array([[width, 0], [-slant, 1]]) @ np.array([[cosine, sine], [-sine, cosine]])
    paths = [_resample(path @ shape, writer.spacing_px) for path in paths]
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    zoom = min(1.0, (CANVAS_PX - 2) / float((high - low).max()))
    corner = rng.uniform(0, CANVAS_PX - zoom * (high - low))
    return [np.rint((path - low) * zoom + corner) for path in paths]
