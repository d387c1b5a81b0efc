"""Layout of ink: units that are not divided, and lines of writing."""

from collections.abc import Sequence

import numpy as np

from digitpad.ink.raster import SPECK_SHARE
from digitpad.recognition.segmentation.parts import Box, Part
from digitpad.recognition.segmentation.signs import mark_signs
from digitpad.recognition.segmentation.units import TALL, Unit, digit_height

SMALL_LINE = 0.7
"""A line lower than this share of its neighbour, beside its units, holds exponents or indices of the neighbour."""


def find_units(parts: Sequence[Part], divided: frozenset[int] = frozenset()) -> list[Unit]:
    """Return the units of the parts, from left to right; of the wholes in ``divided``, each part is a unit.

    A speck joins the nearest unit, whose network input it seldom changes; a point or another sign stays alone.
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
        units = _join_specks(mark_signs(units, parts, digit_height(units)))
    return sorted(units, key=lambda unit: 2 * unit.box.x + unit.box.width)


def _join_specks(units: list[Unit]) -> list[Unit]:
    height = digit_height(units)
    signs = [unit for unit in units if unit.is_sign]
    units = [unit for unit in units if not unit.is_sign]
    large = [unit for unit in units if unit.box.size > SPECK_SHARE * height]
    if not large or len(large) == len(units):
        return [*units, *signs]
    kept: dict[int, Unit] = {id(unit): unit for unit in large}
    for speck in units:
        if id(speck) in kept:
            continue
        distances = [_distance(speck.box, unit.box) for unit in large]
        nearest = large[int(np.argmin(distances))]
        joined = kept[id(nearest)]
        members = tuple(sorted((*joined.parts, *speck.parts)))
        kept[id(nearest)] = Unit(members, joined.box, joined.whole, joined.n_pieces)
    return [*kept.values(), *signs]


def _distance(first: Box, second: Box) -> float:
    """Return the distance between two boxes, 0 if they meet."""
    across = max(0.0, first.x - second.right, second.x - first.right)
    down = max(0.0, first.y - second.bottom, second.y - first.bottom)
    return float(np.hypot(across, down))


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
