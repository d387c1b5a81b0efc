"""Why ink is read as it is: which of it speaks for the answer, and which small change would make it another.

Both are told in pieces: generators that stop after some milliseconds of work, so that a window can read ink in between.
"""

import itertools
import math
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from digitpad.classes import DIGITS
from digitpad.ink.drawing import Drawing
from digitpad.ink.raster import rasterize, without_specks
from digitpad.ink.strokes import distance_to_path
from digitpad.nn.arrays import Floats
from digitpad.weights.weights import Weights

STEPS = 24
"""From blank paper to the whole ink; the evidence's sum then differs by 0.07 from what it should be, some 13."""

PRODUCTS_AT_ONCE = {"weighing": 40e6, "reading": 100e6}
"""Of a network's products, those of a piece: on one core, some 4 ms. Their gradients take more than themselves."""

READINGS_AT_ONCE = 32  # of however small a network

SHORTER = {0.1: "a little shorter", 0.2: "shorter", 0.3: "much shorter", 0.4: "much shorter"}
"""By how much of its length a stroke is shortened at an end, and what to call that."""

MAX_CHANGE = 0.4
"""Of all ink: what takes away or adds more is no small change."""

GAPS = (0.06, 0.4)
"""Between what is nearer there is no gap to be seen, and what is further apart is not meant to meet; in extents."""

UPRIGHT = 0.12
"""What leans less than this much of its height stands upright."""

MAX_STROKES = 6  # that are tried; no digit has more
MAX_DRAWN_STROKES = 12
MAX_LENGTH = 12.0  # of all ink, in extents; a digit's is 1 to 5, and no small change makes a digit of what has more
MAX_POINTS = 1000  # that gaps are looked for between; a digit has some 200
MAX_FINDINGS = 3

_T = TypeVar("_T")

InPieces = Generator[None, None, _T]
"""Work that stops after each piece; what it comes to is what the generator returns."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What each pixel of some ink says in favour of one digit and against another.

    Attributes
    ----------
    digit, instead : int
        The answer, and what was next.
    image : ndarray of uint8, shape (28, 28)
        What the network saw.
    pixels : ndarray of shape (28, 28)
        Above 0 where ink speaks for `digit`, below where it speaks for `instead`, 0 where there is none. The sum is by
        how much ``logit[digit] - logit[instead]`` is larger than on blank paper.
    """

    digit: int
    instead: int
    image: NDArray[np.uint8]
    pixels: Floats
    class_names: tuple[str, ...] = DIGITS

    @property
    def said(self) -> str:
        """In words: where the ink is that speaks for the one, and for the other."""
        digit, instead = self.class_names[self.digit], self.class_names[self.instead]
        speaks = [
            f"the ink {_at(self._strongest(sign))} speaks {words}"
            for sign, words in ((1, f"most for {digit}"), (-1, f"for {instead} instead"))
            if (sign * self.pixels).max() > 0
        ]
        return ", ".join(speaks).capitalize() or "No ink speaks for either"

    def _strongest(self, sign: int) -> str:
        """The place around which most of what speaks for one of the two lies together."""
        rows = np.array_split(np.maximum(sign * self.pixels, 0), np.r_[11, 17])  # a digit covers 4..23
        thirds = np.array([[part.sum() for part in np.array_split(row, np.r_[11, 17], axis=1)] for row in rows])
        y, x = np.unravel_index(thirds.argmax(), thirds.shape)
        return _PLACES[y][x]


@dataclass(frozen=True)
class Finding:
    """A small change of the strokes that makes the ink another digit, or an unsure answer sure.

    Attributes
    ----------
    digit : int
        What it is then.
    change : str
        In words that go on after the digit: ``when the flag is shorter``, ``without the bar``.
    size : float
        How much of the ink it touches.
    was_sure : bool
        Whether the answer was sure before.
    """

    digit: int
    change: str
    size: float
    was_sure: bool
    class_names: tuple[str, ...] = DIGITS

    def __str__(self) -> str:
        return f"{'Read as' if self.was_sure else 'Sure of'} {self.class_names[self.digit]} {self.change}"


class Explainer:
    """Explains with one network, of which it has a copy of its own, how some ink is read."""

    def __init__(self, weights: Weights) -> None:
        self._network = network = weights.network()
        n_products = max(1, network.plan.n_products)
        self._steps_at_once = min(STEPS, max(1, int(PRODUCTS_AT_ONCE["weighing"] / n_products)))
        self._readings_at_once = min(READINGS_AT_ONCE, max(1, int(PRODUCTS_AT_ONCE["reading"] / n_products)))
        self._sure_above = weights.sure_above
        self._class_names = weights.class_names

    def weigh(self, image: NDArray[np.uint8], digit: int, instead: int) -> InPieces[Evidence]:
        """How much the ink of each pixel moves ``logit[digit] - logit[instead]``.

        Parameters
        ----------
        image : ndarray of uint8, shape (28, 28)
        digit, instead : int

        Notes
        -----
        Integrated gradients (Sundararajan, Taly and Yan, 2017) along the straight line from blank paper: each pixel
        times the mean of its gradient while all ink grows from none to what it is. They add up to the whole difference,
        as the gradient at the ink alone does not; and blank paper is what ink is written on, so nothing is said of
        pixels without any.

        With ink of a share s = u², the steps are even in u: gradients change most while there is little ink, where
        units begin to fire one after the other. For a dense network, the sum's error then is a fifth of that of steps
        that are even in s.
        """
        ink = image.astype(np.float32)
        gradient = np.zeros_like(ink)
        u = (np.arange(STEPS, dtype=np.float32) + 0.5) / STEPS
        for some in np.array_split(u, math.ceil(STEPS / self._steps_at_once)):
            gradient += self._gradient(some[:, None, None] ** 2 * ink, 2 * some / STEPS, digit, instead)
            yield
        return Evidence(digit, instead, image, np.nan_to_num(ink * gradient), self._class_names)

    def search(self, drawing: Drawing) -> InPieces[tuple[Finding, ...] | None]:
        """What small changes of the strokes would make of them, at most `MAX_FINDINGS`, the smallest first.

        None where there are no strokes to change, or they are part of an image. Nothing is tried of a scribble, of
        more than `MAX_DRAWN_STROKES` or `MAX_LENGTH`.
        """
        paths = without_specks([stroke.points for stroke in drawing.strokes if len(stroke.points)])
        if not paths or (drawing.image is not None and drawing.image.any()):
            return None
        if len(paths) > MAX_DRAWN_STROKES:
            return ()
        ink = _Ink(paths)
        if ink.lengths.sum() > MAX_LENGTH * ink.extent:
            return ()
        changes, images = [], [rasterize(paths)]
        yield
        for change in _small_changes(ink):
            if change is not None:
                changes.append(change)
                images.append(rasterize(change.paths))
            yield
        read = []
        for begin in range(0, len(images), self._readings_at_once):
            read.append(self._network.predict(np.stack(images[begin : begin + self._readings_at_once])))
            yield
        before, *after = np.concatenate(read)
        was_sure = bool(before.max() >= self._sure_above)
        found: dict[str, Finding] = {}  # by its words, as two gaps may lie at the top
        parts = set()
        for change, probabilities in sorted(zip(changes, after, strict=True), key=lambda pair: pair[0].size):
            digit = int(probabilities.argmax())
            as_before = was_sure and digit == before.argmax()
            if probabilities.max() >= self._sure_above and not as_before and change.part not in parts:
                parts.add(change.part)
                finding = Finding(digit, change.words, change.size, was_sure, self._class_names)
                found.setdefault(str(finding), finding)
        return tuple(found.values())[:MAX_FINDINGS]

    def _gradient(self, images: Floats, weights: Floats, digit: int, instead: int) -> Floats:
        """The weighted sum over images of the gradient of ``logit[digit] - logit[instead]``."""
        with np.errstate(over="ignore", invalid="ignore"):  # what a network is made of may be of any size
            direction = np.zeros_like(self._network.forward(images))
            direction[:, digit] += weights
            direction[:, instead] -= weights
            return self._network.input_gradient(direction).sum(axis=0)


def at_once(work: InPieces[_T]) -> _T:
    """What work in pieces comes to, without a pause."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@dataclass(frozen=True, eq=False)
class Change:
    """Strokes that differ a little from those of a drawing.

    Attributes
    ----------
    paths : list of ndarray of shape (n_points, 2)
    part : str
        What is changed; a larger change of the same part says nothing new.
    words : str
        As `Finding` has them.
    size : float
        The share of all ink that is added, taken away or moved.
    """

    paths: list[Floats]
    part: str
    words: str
    size: float


_Tries = Iterator[Change | None]
"""Changes; and None where to find the next one takes a while, for a pause."""


def small_changes(paths: Sequence[Floats]) -> Iterator[Change]:
    """What one would try with a pen: ends shortened, strokes left out, gaps closed, all set upright.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        At least one, each of at least one point.
    """
    return (change for change in _small_changes(_Ink(list(paths))) if change is not None)


def _small_changes(ink: "_Ink") -> _Tries:
    for changes in (_shortened, _left_out, _closed, _upright):
        yield from (change for change in changes(ink) if change is None or change.size <= MAX_CHANGE)


class _Ink:
    """Strokes, and what is asked of them by every change.

    Attributes
    ----------
    paths : list of ndarray of shape (n_points, 2)
    lengths : ndarray of shape (n_paths,)
        Along each.
    longest : list of int
        Which of the paths are worth a try.
    middle : ndarray of shape (2,)
    extent : float
        The larger of width and height.
    names : list of str
        What to call each: ``the bar``, ``the second stroke``.
    points : ndarray of shape (n_points, 2)
        Close together along all paths.
    """

    def __init__(self, paths: list[Floats]) -> None:
        self.paths = paths
        self.lengths = np.array([_along(path)[-1] for path in paths])
        self.longest = sorted(np.argsort(-self.lengths, kind="stable")[:MAX_STROKES].tolist())
        points = np.concatenate(paths)
        low, high = points.min(axis=0), points.max(axis=0)
        self.middle = (low + high) / 2
        self.extent = max(float((high - low).max()), 1e-9)
        self.names = self._names()
        spacing = max(0.02 * self.extent, float(self.lengths.sum()) / MAX_POINTS)
        self.points = np.concatenate([_evenly(path, spacing) for path in paths])

    def place(self, point: Floats) -> str:
        """Where a point lies in the drawing, in words."""
        x, y = (1 + np.sign(offset) * (abs(offset) > self.extent / 6) for offset in point - self.middle)
        return _PLACES[int(y)][int(x)]

    def share(self, length: float) -> float:
        """A length, as a share of all that is drawn."""
        return length / max(float(self.lengths.sum()), 1e-9)

    def with_path(self, place: int, path: Floats) -> list[Floats]:
        """The paths, one of them replaced."""
        return [*self.paths[:place], path, *self.paths[place + 1 :]]

    def _names(self) -> list[str]:
        if len(self.paths) == 1:
            return ["the stroke"]
        kinds = [self._kind(place) for place in range(len(self.paths))]
        counts = Counter(kinds)
        return [
            f"the {kind}" if kind and counts[kind] == 1 else f"the {_ordinal(place)} stroke"
            for place, kind in enumerate(kinds)
        ]

    def _kind(self, place: int) -> str:
        """What a stroke beside others is, if that can be told from its shape."""
        path, length = self.paths[place], float(self.lengths[place])
        if length < 0.15 * self.extent:
            return "dot"
        step = path[-1] - path[0]
        return self.kind_of_line(path) if np.hypot(*step) > 0.9 * length else ""

    def kind_of_line(self, path: Floats) -> str:
        """What a straight part is, by the way it leads and the place where it lies."""
        across, down = np.abs(path[-1] - path[0])
        if across > 1.7 * down:
            return "foot" if self.place((path[0] + path[-1]) / 2).startswith("bottom") else "bar"
        return "stem" if down > 1.7 * across else "slash"


def _shortened(ink: _Ink) -> _Tries:
    """Each stroke with a little less at either end."""
    tried = [place for place in ink.longest if ink.lengths[place] >= 0.15 * ink.extent]
    parts = {}
    for place, turn in itertools.product(tried, (1, -1)):
        parts[place, turn] = _end_part(ink, ink.paths[place][::turn])
        yield None
    counts = Counter(parts.values())
    for (place, turn), part in parts.items():
        path, length = ink.paths[place][::turn], float(ink.lengths[place])
        here, there = ink.place(path[0]), ink.place(path[-1])
        for share, shorter in SHORTER.items():
            if part and counts[part] == 1:
                words = f"when {part} is {shorter}"
            elif here != there:
                words = f"when {ink.names[place]} is {shorter} {_at(here)}"
            else:  # as of a ring
                words = f"when {ink.names[place]} {'begins later' if turn == 1 else 'ends sooner'}"
            kept = _begin(path[::-1], 1 - share)[::-turn]
            yield Change(ink.with_path(place, kept), f"end {place} {turn}", words, ink.share(share * length))


def _end_part(ink: _Ink, path: Floats) -> str:
    """What the straight piece from a path's start to its first corner is; nothing where there is no such piece."""
    path = _evenly(path, _along(path)[-1] / 64)
    corners = _simplified(path, 0.06 * ink.extent)
    if len(corners) < 3:
        return ""
    first, second = path[corners[1]] - path[0], path[corners[2]] - path[corners[1]]
    length, rest = float(np.hypot(*first)), float(np.hypot(*second))
    turn = math.degrees(math.acos(np.clip(first @ second / max(length * rest, 1e-9), -1, 1)))
    if turn < 75 or length < 0.1 * ink.extent:
        return ""
    kind = ink.kind_of_line(path[: corners[1] + 1])
    if kind == "foot":
        return "the foot"
    if kind == "bar":
        return "the bar at the top" if ink.place(path[0]).startswith("top") else "the bar"
    # A stem that is begun with a stroke from its left: a 1's flag.
    rises = first[0] > 0 > first[1] and length < rest and ink.place(path[corners[1]]).startswith("top")
    return "the flag" if rises else ""


def _left_out(ink: _Ink) -> _Tries:
    """The drawing without one of its strokes."""
    if len(ink.paths) == 1:
        return
    for place in ink.longest:
        kept = [*ink.paths[:place], *ink.paths[place + 1 :]]
        yield Change(kept, f"stroke {place}", f"without {ink.names[place]}", ink.share(float(ink.lengths[place])))


def _closed(ink: _Ink) -> _Tries:
    """The drawing with a line over each gap between an end and what lies nearest across empty paper."""
    middles: list[Floats] = []
    for place in ink.longest:
        path = ink.paths[place]
        if ink.lengths[place] < 0.15 * ink.extent:
            continue
        for end, others in ((path[-1], [path[:1], ink.points]), (path[0], [ink.points])):
            for targets in others:
                target = _across(end, targets, ink)
                yield None
                if target is None:
                    continue
                middle = (end + target) / 2
                if any(np.hypot(*(middle - other)) < 0.1 * ink.extent for other in middles):
                    continue
                middles.append(middle)
                words = f"when the gap {_at(ink.place(middle))} is closed"
                size = ink.share(float(np.hypot(*(target - end))))
                yield Change([*ink.paths, np.stack([end, target])], f"gap {len(middles)}", words, size)


def _across(end: Floats, targets: Floats, ink: _Ink) -> Floats | None:
    """The nearest of the targets that lies across a gap: halfway to it, there is no ink nearer than both sides."""
    distances = np.hypot(*(targets - end).T)
    low, high = GAPS
    apart = np.flatnonzero((distances >= low * ink.extent) & (distances <= high * ink.extent))
    nearest_first = apart[np.argsort(distances[apart], kind="stable")]
    for nearest in nearest_first[:: max(1, len(apart) // 50)]:
        middle = (end + targets[nearest]) / 2
        if np.hypot(*(ink.points - middle).T).min() > 0.4 * distances[nearest]:
            return targets[nearest]
    return None


def _upright(ink: _Ink) -> _Tries:
    """The drawing slanted back, by half and wholly, where it leans."""
    x, y = (ink.points - ink.points.mean(axis=0)).T
    lean = -float(x @ y) / max(float(y @ y), 1e-9)  # how far the top goes to the right, in heights
    if UPRIGHT < abs(lean) < 1:
        for share, words in ((0.5, "when it leans less"), (1.0, "when it stands upright")):
            back = [path + np.outer((path[:, 1] - ink.middle[1]) * lean * share, [1, 0]) for path in ink.paths]
            yield Change(back, "slant", words, abs(lean) * share / 2)


_PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)


def _at(place: str) -> str:
    return f"in the {place}" if place == "middle" else f"{'on' if place in ('left', 'right') else 'at'} the {place}"


def _ordinal(place: int) -> str:
    names = ("first", "second", "third", "fourth", "fifth", "sixth")
    return names[place] if place < len(names) else f"{place + 1}th"


def _along(path: Floats) -> Floats:
    """How far along a path each of its points lies, shape (n_points,)."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])


def _begin(path: Floats, share: float) -> Floats:
    """The path up to a share of its length."""
    along = _along(path)
    end = share * along[-1]
    last = [np.interp(end, along, coordinate) for coordinate in path.T]
    return np.concatenate([path[along < end], [last]])


def _evenly(path: Floats, spacing: float) -> Floats:
    """Points along a path, at most ``spacing`` apart, its two ends among them."""
    along = _along(path)
    at = np.linspace(0, along[-1], math.ceil(along[-1] / spacing) + 1)
    return np.stack([np.interp(at, along, coordinate) for coordinate in path.T], axis=1)


def _simplified(path: Floats, tolerance: float) -> list[int]:
    """Which points of a path keep its shape, its ends among them (Ramer, 1972; Douglas and Peucker, 1973)."""
    if len(path) < 3:
        return list(range(len(path)))
    off = distance_to_path(path, path[[0, -1]])
    furthest = int(off.argmax())
    if off[furthest] < tolerance or furthest in (0, len(path) - 1):
        return [0, len(path) - 1]
    before = _simplified(path[: furthest + 1], tolerance)
    return [*before[:-1], *(furthest + place for place in _simplified(path[furthest:], tolerance))]
