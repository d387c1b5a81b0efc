"""Small changes of a drawing that a user could try with a pen, with descriptions; no network is involved."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from digitpad.ink.strokes import distance_to_path
from digitpad.nn.arrays import Floats

SHORTER = {0.1: "slightly shorter", 0.2: "shorter", 0.3: "much shorter", 0.4: "much shorter"}
"""Shares of its length by which a stroke is shortened at one end, with their descriptions."""

MAX_CHANGE = 0.4
"""Largest share of all ink that a small change may add or remove."""

GAPS = (0.06, 0.4)
"""Smallest and largest gap, in extents: a smaller gap is not visible, and a larger gap is intended."""

UPRIGHT = 0.12
"""A drawing that leans by less than this share of its height counts as upright."""

MAX_STROKES = 6  # strokes that are changed; no digit has more
MAX_POINTS = 1000  # points between which gaps are searched; a digit has about 200


@dataclass(frozen=True, eq=False)
class Perturbation:
    """Slightly changed strokes of a drawing.

    Attributes
    ----------
    paths : list of ndarray of shape (n_points, 2)
    part : str
        Key of the changed part; a larger change of the same part adds no information.
    words : str
        Description of the change, for example ``with a shorter flag``, ``without the bar``.
    size : float
        Share of all ink that is added, removed or moved.
    """

    paths: list[Floats]
    part: str
    words: str
    size: float


Tries = Iterator[Perturbation | None]
"""Changes, and None as a pause where finding the next change takes a while."""


def small_changes(paths: Sequence[Floats]) -> Iterator[Perturbation]:
    """Return small changes: shortened ends, omitted strokes, closed gaps, less slant.

    Parameters
    ----------
    paths : sequence of ndarray of shape (n_points, 2)
        At least one path; each has at least one point.
    """
    return (change for change in small_changes_in_pieces(Ink(list(paths))) if change is not None)


def small_changes_in_pieces(ink: "Ink") -> Tries:
    """Yield the same changes as `small_changes`, and None for pauses."""
    for find_changes in (_shortened, _omitted, _closed, _upright):
        yield from (change for change in find_changes(ink) if change is None or change.size <= MAX_CHANGE)


class Ink:
    """Strokes, with the measurements that all changes use.

    Attributes
    ----------
    paths : list of ndarray of shape (n_points, 2)
    lengths : ndarray of shape (n_paths,)
        Length of each path.
    longest : list of int
        Indices of the longest paths, which are the ones to change.
    middle : ndarray of shape (2,)
    extent : float
        The larger of width and height.
    names : list of str
        Name of each path: ``the bar``, ``the second stroke``.
    points : ndarray of shape (n_points, 2)
        Closely spaced points along all paths.
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
        self.points = np.concatenate([_evenly_spaced(path, spacing) for path in paths])

    def place(self, point: Floats) -> str:
        """Return the name of a point's position in the drawing, from `PLACES`."""
        x, y = (1 + np.sign(offset) * (abs(offset) > self.extent / 6) for offset in point - self.middle)
        return PLACES[int(y)][int(x)]

    def share(self, length: float) -> float:
        """Return a length as a share of the total length."""
        return length / max(float(self.lengths.sum()), 1e-9)

    def with_path(self, place: int, path: Floats) -> list[Floats]:
        """Return the paths with one of them replaced."""
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
        """Return the kind of a stroke among several, or an empty string if its shape does not show it."""
        path, length = self.paths[place], float(self.lengths[place])
        if length < 0.15 * self.extent:
            return "dot"
        step = path[-1] - path[0]
        return self.kind_of_line(path) if np.hypot(*step) > 0.9 * length else ""

    def kind_of_line(self, path: Floats) -> str:
        """Return the kind of a straight line, from its direction and position."""
        across, down = np.abs(path[-1] - path[0])
        if across > 1.7 * down:
            return "foot" if self.place((path[0] + path[-1]) / 2).startswith("bottom") else "bar"
        return "stem" if down > 1.7 * across else "slash"


def _shortened(ink: Ink) -> Tries:
    """Yield changes that shorten a stroke at one of its ends."""
    candidates = [place for place in ink.longest if ink.lengths[place] >= 0.15 * ink.extent]
    parts = {}
    for place, turn in itertools.product(candidates, (1, -1)):
        parts[place, turn] = _end_part(ink, ink.paths[place][::turn])
        yield None
    counts = Counter(parts.values())
    for (place, turn), part in parts.items():
        path, length = ink.paths[place][::turn], float(ink.lengths[place])
        start, end = ink.place(path[0]), ink.place(path[-1])
        for share, shorter in SHORTER.items():
            if part and counts[part] == 1:
                words = f"with a {shorter} {part.removeprefix('the ')}"
            elif start != end:
                words = f"with {ink.names[place]} {shorter} {at_place(start)}"
            else:  # for example a ring
                words = f"with {ink.names[place]} {'starting later' if turn == 1 else 'ending sooner'}"
            kept = _start_of_path(path[::-1], 1 - share)[::-turn]
            yield Perturbation(ink.with_path(place, kept), f"end {place} {turn}", words, ink.share(share * length))


def _end_part(ink: Ink, path: Floats) -> str:
    """Return the name of the straight line from a path's start to its first corner, or "" if there is none."""
    path = _evenly_spaced(path, _along(path)[-1] / 64)
    corners = _simplify(path, 0.06 * ink.extent)
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
    # A short line from the left, before the stem, is the flag of a 1.
    rises = first[0] > 0 > first[1] and length < rest and ink.place(path[corners[1]]).startswith("top")
    return "the flag" if rises else ""


def _omitted(ink: Ink) -> Tries:
    """Yield changes that omit one of the strokes."""
    if len(ink.paths) == 1:
        return
    for place in ink.longest:
        kept = [*ink.paths[:place], *ink.paths[place + 1 :]]
        yield Perturbation(kept, f"stroke {place}", f"without {ink.names[place]}", ink.share(float(ink.lengths[place])))


def _closed(ink: Ink) -> Tries:
    """Yield changes that close a gap with a line from an end of a stroke to the nearest ink across the gap."""
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
                words = f"with the gap {at_place(ink.place(middle))} closed"
                size = ink.share(float(np.hypot(*(target - end))))
                yield Perturbation([*ink.paths, np.stack([end, target])], f"gap {len(middles)}", words, size)


def _across(end: Floats, targets: Floats, ink: Ink) -> Floats | None:
    """Return the nearest target across a gap, or None; across a gap, no other ink is close to the midpoint."""
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
    """Yield changes that remove half or all of the slant, if the drawing leans."""
    x, y = (ink.points - ink.points.mean(axis=0)).T
    lean = -float(x @ y) / max(float(y @ y), 1e-9)  # shift of the top to the right, in heights
    if UPRIGHT < abs(lean) < 1:
        for share, words in ((0.5, "with less slant"), (1.0, "without the slant")):
            paths = [path + np.outer((path[:, 1] - ink.middle[1]) * lean * share, [1, 0]) for path in ink.paths]
            yield Perturbation(paths, "slant", words, abs(lean) * share / 2)


PLACES = (
    ("top left", "top", "top right"),
    ("left", "middle", "right"),
    ("bottom left", "bottom", "bottom right"),
)
"""Names of the nine regions of a drawing."""


def at_place(place: str) -> str:
    """Return a phrase for a position: ``at the top left``, ``in the middle``."""
    return f"in the {place}" if place == "middle" else f"{'on' if place in ('left', 'right') else 'at'} the {place}"


def _ordinal(place: int) -> str:
    names = ("first", "second", "third", "fourth", "fifth", "sixth")
    return names[place] if place < len(names) else f"{place + 1}th"


def _along(path: Floats) -> Floats:
    """Return the path length up to each point, shape (n_points,)."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])


def _start_of_path(path: Floats, share: float) -> Floats:
    """Return the path up to a share of its length."""
    along = _along(path)
    end = share * along[-1]
    last = [np.interp(end, along, coordinate) for coordinate in path.T]
    return np.concatenate([path[along < end], [last]])


def _evenly_spaced(path: Floats, spacing: float) -> Floats:
    """Return evenly spaced points along a path, at most ``spacing`` apart, including its two ends."""
    along = _along(path)
    at = np.linspace(0, along[-1], math.ceil(along[-1] / spacing) + 1)
    return np.stack([np.interp(at, along, coordinate) for coordinate in path.T], axis=1)


def _simplify(path: Floats, tolerance: float) -> list[int]:
    """Return the indices of points that preserve a path's shape, including its ends.

    Ramer (1972); Douglas and Peucker (1973).
    """
    if len(path) < 3:
        return list(range(len(path)))
    off = distance_to_path(path, path[[0, -1]])
    furthest = int(off.argmax())
    if off[furthest] < tolerance or furthest in (0, len(path) - 1):
        return [0, len(path) - 1]
    before = _simplify(path[: furthest + 1], tolerance)
    return [*before[:-1], *(furthest + place for place in _simplify(path[furthest:], tolerance))]
