"""Layout of ink: units that are not divided, the height of digits, and lines of writing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from digitpad.ink.raster import SPECK_SHARE, not_specks
from digitpad.recognition.segmentation.parts import Box, Part

TALL = 0.45
"""Height of a unit that shapes a line, as a share of the height of digits; bars, dots and hats are lower."""

SMALL_LINE = 0.7
"""A line lower than this share of its neighbour, beside its units, holds exponents or indices of the neighbour."""

FLAT = 0.15
"""Smallest height of digits, as a share of the widest unit; drawings of bars alone have no height."""


@dataclass(frozen=True, eq=False)
class Unit:
    """Parts that certainly belong to the same digit: a stroke or component, or a piece of one, with its specks.

    Attributes
    ----------
    parts : tuple of int
        Ascending.
    box : Box
        Without specks.
    whole : int
        Number of the stroke or component.
    n_pieces : int
        Number of parts between whose ends the unit can be cut, 1 if it cannot.
    joins : bool
        Whether it may only join two digits.
    is_point : bool
        Whether it is a dot between digits, which belongs to neither.
    """

    parts: tuple[int, ...]
    box: Box
    whole: int
    n_pieces: int = 1
    joins: bool = False
    is_point: bool = False


def find_units(parts: Sequence[Part], divided: frozenset[int] = frozenset()) -> list[Unit]:
    """Return the units of the parts, from left to right; of the wholes in ``divided``, each part is a unit.

    A speck joins the nearest unit, whose network input it seldom changes. A dot on the line between two units stays
    alone, because it may be a decimal point.
    """
    wholes: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        wholes.setdefault(part.whole, []).append(i)
    units = []
    for whole, members in wholes.items():
        if whole in divided:
            units += [Unit((i,), parts[i].box, whole, joins=parts[i].joins) for i in members]
        else:
            box = Box.union([parts[i].box for i in members])
            units.append(Unit(tuple(members), box, whole, len(members)))
    if len(units) > 1:
        units = _join_specks(units)
    return sorted(units, key=lambda unit: 2 * unit.box.x + unit.box.width)


def _join_specks(units: list[Unit]) -> list[Unit]:
    height = digit_height(units)
    large = [unit for unit in units if unit.box.size > SPECK_SHARE * height]
    if not large or len(large) == len(units):
        return units
    kept: dict[int, Unit] = {id(unit): unit for unit in large}
    alone = []
    for speck in units:
        if id(speck) in kept:
            continue
        distances = [_distance(speck.box, unit.box) for unit in large]
        nearest = large[int(np.argmin(distances))]
        if _is_point(speck.box, large, height):
            alone.append(replace(speck, is_point=True))
        else:
            joined = kept[id(nearest)]
            members = tuple(sorted((*joined.parts, *speck.parts)))
            kept[id(nearest)] = Unit(members, joined.box, joined.whole, joined.n_pieces)
    return [*kept.values(), *alone]


def _is_point(dot: Box, units: Sequence[Unit], height: float) -> bool:
    """Return whether a dot lies low between two units, like a decimal point."""
    x = dot.x + dot.width / 2
    left = [unit.box for unit in units if unit.box.right <= x]
    right = [unit.box for unit in units if unit.box.x >= x]
    if not left or not right or len(left) + len(right) < len(units):
        return False
    before, after = max(left, key=lambda box: box.right), min(right, key=lambda box: box.x)
    low = min(before.bottom, after.bottom)
    boxes = np.array([[[box.x, box.y], [box.right, box.bottom]] for box in (before, dot)])
    return abs(dot.bottom - low) < 0.3 * height and before.height > TALL * height and not not_specks(boxes)[1]


def _distance(first: Box, second: Box) -> float:
    """Return the distance between two boxes, 0 if they meet."""
    across = max(0.0, first.x - second.right, second.x - first.right)
    down = max(0.0, first.y - second.bottom, second.y - first.bottom)
    return float(np.hypot(across, down))


def digit_height(units: Sequence[Unit]) -> float:
    """Return the height of digits: that of the tallest units, but not of a single one among many."""
    heights = sorted((unit.box.height for unit in units), reverse=True)
    widest = max(unit.box.width for unit in units)
    return max(heights[len(heights) // 6], FLAT * widest) or 1.0


def find_lines(units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the units of each line, from top to bottom, each from left to right.

    The middle halves of all tall units of a line overlap in a chain, so a line may slope. Low units join the nearest
    line, and so do exponents.
    """
    height = digit_height(units)
    tall = sorted((unit for unit in units if unit.box.height >= TALL * height), key=_middle)
    if len(tall) < 2:
        return [list(units)]
    lines: list[list[Unit]] = [[tall[0]]]
    reach = _middle(tall[0]) + tall[0].box.height / 4
    for unit in tall[1:]:
        if _middle(unit) - unit.box.height / 4 > reach:
            lines.append([])
        lines[-1].append(unit)
        reach = max(reach, _middle(unit) + unit.box.height / 4)
    lines = _join_exponents(lines)
    boxes = [Box.union([unit.box for unit in line]) for line in lines]
    for unit in units:
        if unit.box.height < TALL * height:
            near = min(range(len(lines)), key=lambda i: min(_distance(unit.box, other.box) for other in lines[i][:64]))
            lines[near].append(unit)
    ordered = [line for _, line in sorted(zip(boxes, lines, strict=True), key=lambda pair: pair[0].y)]
    return [sorted(line, key=lambda unit: 2 * unit.box.x + unit.box.width) for line in ordered]


def widest_gap(lines: Sequence[Sequence[Unit]]) -> float:
    """Return the largest distance between a line and the next, from ink to ink; below 0 if all overlap."""
    tops = [min(unit.box.y for unit in line) for line in lines[1:]]
    bottoms = [max(unit.box.bottom for unit in line) for line in lines[:-1]]
    return max((top - bottom for top, bottom in zip(tops, bottoms, strict=True)), default=0.0)


def _middle(unit: Unit) -> float:
    return unit.box.y + unit.box.height / 2


def _join_exponents(lines: list[list[Unit]]) -> list[list[Unit]]:
    """Return the lines with those of small digits beside a neighbour's digits joined to the neighbour."""
    joined = [lines[0]]
    for line in lines[1:]:
        heights = [max(unit.box.height for unit in units) for units in (joined[-1], line)]
        apart = min(unit.box.y for unit in line) - max(unit.box.bottom for unit in joined[-1])
        stacked = any(
            first.box.x < second.box.x + second.box.width and second.box.x < first.box.x + first.box.width
            for first in joined[-1]
            for second in line
        )
        if min(heights) < SMALL_LINE * max(heights) and not stacked and apart < 0.3 * max(heights):
            joined[-1] = [*joined[-1], *line]
        else:
            joined.append(line)
    return joined
