"""Small changes of ink, as one would try them with a pen, and words for them; no network is asked what they come to."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from digitpad.ink.strokes import distance_to_path
from digitpad.nn.arrays import Floats

SHORTER = {0.1: "a little shorter", 0.2: "shorter", 0.3: "much shorter", 0.4: "much shorter"}
"""By how much of its length a stroke is shortened at an end, and what to call that."""

MAX_CHANGE = 0.4
"""Of all ink: what takes away or adds more is no small change."""

GAPS = (0.06, 0.4)
"""Between what is nearer there is no gap to be seen, and what is further apart is not meant to meet; in extents."""

UPRIGHT = 0.12
"""What leans less than this much of its height stands upright."""

MAX_STROKES = 6  # that are tried; no digit has more
MAX_POINTS = 1000  # that gaps are looked for between; a digit has some 200


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Strokes that differ a little from those of a drawing.

    Attributes
    ----------
    paths : list of ndarray of shape (n_points, 2)
    part : str
        What is changed; a larger change of the same part says nothing new.
    words : str
        What it does, as in ``when the flag is shorter``, ``without the bar``.
    size : float
        The share of all ink that is added, taken away or moved.
    """

    paths: list[Floats]
    part: str
    words: str
    size: float


Tries = Iterator[Perturbation | None]
"""Changes; and None where to find the next one takes a while, for a pause."""


def small_changes(paths: Sequence[Floats]) -> Iterator[Perturbation]:
    """What one would try with a pen: ends shortened, strokes left out, gaps closed, all set upright.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        At least one, each of at least one point.
    """
    return (change for change in small_changes_in_pieces(Ink(list(paths))) if change is not None)


def small_changes_in_pieces(ink: "Ink") -> Tries:
    """The same, with a pause now and then."""
    for changes in (_shortened, _left_out, _closed, _upright):
        yield from (change for change in changes(ink) if change is None or change.size <= MAX_CHANGE)


class Ink:
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
        return PLACES[int(y)][int(x)]

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


def _shortened(ink: Ink) -> Tries:
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
                words = f"when {ink.names[place]} is {shorter} {at_place(here)}"
            else:  # as of a ring
                words = f"when {ink.names[place]} {'begins later' if turn == 1 else 'ends sooner'}"
            kept = _begin(path[::-1], 1 - share)[::-turn]
            yield Perturbation(ink.with_path(place, kept), f"end {place} {turn}", words, ink.share(share * length))


def _end_part(ink: Ink, path: Floats) -> str:
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


def _left_out(ink: Ink) -> Tries:
    """The drawing without one of its strokes."""
    if len(ink.paths) == 1:
        return
    for place in ink.longest:
        kept = [*ink.paths[:place], *ink.paths[place + 1 :]]
        yield Perturbation(kept, f"stroke {place}", f"without {ink.names[place]}", ink.share(float(ink.lengths[place])))


def _closed(ink: Ink) -> Tries:
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
                words = f"when the gap {at_place(ink.place(middle))} is closed"
                size = ink.share(float(np.hypot(*(target - end))))
                yield Perturbation([*ink.paths, np.stack([end, target])], f"gap {len(middles)}", words, size)


def _across(end: Floats, targets: Floats, ink: Ink) -> Floats | None:
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


def _upright(ink: Ink) -> Tries:
    """The drawing slanted back, by half and wholly, where it leans."""
    x, y = (ink.points - ink.points.mean(axis=0)).T
    lean = -float(x @ y) / max(float(y @ y), 1e-9)  # how far the top goes to the right, in heights
    if UPRIGHT < abs(lean) < 1:
        for share, words in ((0.5, "when it leans less"), (1.0, "when it stands upright")):
            back = [path + np.outer((path[:, 1] - ink.middle[1]) * lean * share, [1, 0]) for path in ink.paths]
            yield Perturbation(back, "slant", words, abs(lean) * share / 2)


PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)
"""What the ninths of a drawing are called."""


def at_place(place: str) -> str:
    """Where that is, as one says it: ``at the top left``, ``in the middle``."""
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
