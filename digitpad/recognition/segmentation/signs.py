"""Points, commas, minus, equals and plus signs: ink beside digits that belongs to none of them.

Among 23,902 single digits of the development sets, 4,163 are of several strokes, and in no more than 7 of them a
stroke has the size and the place of a point or comma. So these marks can be told by geometry alone.
"""

import itertools
from collections.abc import Sequence
from dataclasses import replace

from digitpad.ink.raster import SPECK_SHARE
from digitpad.recognition.segmentation.parts import BAR_ASPECT, Box, Part
from digitpad.recognition.segmentation.units import TALL, Unit

MAX_UNITS = 200
"""Units among which signs are searched; more take long, and are a scribble or a picture without numbers."""

MARK = 0.33
"""Largest size of a point or comma, in heights of digits."""

LOW = 0.55
"""How far down the digits beside it a point or comma begins at least, in their heights; strokes of a 4 are higher."""

BAR = 0.8
"""Largest width of a minus sign, in heights of digits; a longer line underlines, or divides a fraction."""

MIDDLE = (0.25, 0.85)
"""Where the middle of a minus sign is, in heights of the digit beside it."""

CROSSING = 0.2
"""How far from the ends of its bars, as a share of them, a plus sign crosses at least."""

ALIKE = 2.0
"""Largest ratio of the bars of a plus sign."""

MAX_PLUS = 1.1
"""Largest size of a plus sign, in heights of digits."""

MAX_STACK = 0.6
"""Largest distance in y of the parts of a sign, as in =, in heights of digits."""

APART = 0.03
"""Largest overlap in x of a sign and a digit, in heights of digits."""

MAX_GAP = 1.5
"""Largest distance in x of a sign and the digit beside it, in heights of digits."""


def mark_signs(units: Sequence[Unit], parts: Sequence[Part], height: float) -> list[Unit]:
    """Return the units with signs marked; the strokes of a plus or equals sign become one unit.

    Parameters
    ----------
    units : sequence of Unit
    parts : sequence of Part
        Those of all units.
    height : float
        Height of digits.
    """
    if not 2 <= len(units) <= MAX_UNITS:
        return list(units)
    units = _join_crosses(units, parts, height)
    digits = [unit.box for unit in units if unit.box.height >= TALL * height and not unit.is_sign]
    marked = [
        replace(unit, is_sign=True) if not unit.is_sign and _is_mark(unit, parts, digits, height) else unit
        for unit in units
    ]
    return _join_stacked(marked, height)


def _join_crosses(units: Sequence[Unit], parts: Sequence[Part], height: float) -> list[Unit]:
    """Return the units with every level and upright bar that cross in their middles, beside other ink, as one sign."""
    bars = [unit for unit in units if len(unit.parts) == 1 and parts[unit.parts[0]].is_straight]
    kept = {id(unit): unit for unit in units}
    for level, upright in itertools.permutations(bars, 2):
        across, down = level.box, upright.box
        if id(level) not in kept or id(upright) not in kept:
            continue
        if not (across.width > 2 * across.height and down.height > 2 * down.width):
            continue
        if not 1 / ALIKE < across.width / down.height < ALIKE or max(across.width, down.height) > MAX_PLUS * height:
            continue
        x, y = down.x + down.width / 2, across.y + across.height / 2
        share_x, share_y = (x - across.x) / across.width, (y - down.y) / down.height
        if not all(CROSSING < share < 1 - CROSSING for share in (share_x, share_y)):
            continue
        box = Box.union([across, down])
        others = [unit.box for unit in units if unit is not level and unit is not upright]
        near = [other for other in others if _gap_x(other, box) < MAX_GAP * height and _meets_y(other, box)]
        if near and all(_gap_x(other, box) > -APART * height for other in near):
            del kept[id(level)], kept[id(upright)]
            sign = Unit(tuple(sorted((*level.parts, *upright.parts))), box, level.whole, is_sign=True)
            kept[id(sign)] = sign
    return list(kept.values())


def _is_mark(unit: Unit, parts: Sequence[Part], digits: Sequence[Box], height: float) -> bool:
    """Return whether a unit is a point or comma between two digits, or a minus sign before a digit."""
    box = unit.box
    straight = all(parts[part].is_straight for part in unit.parts)
    is_bar = straight and box.width > BAR_ASPECT * box.height and SPECK_SHARE * height < box.width < BAR * height
    if box.size > MARK * height and not is_bar:
        return False
    near = [other for other in digits if _gap_x(other, box) < MAX_GAP * height and _meets_y(other, box)]
    if any(_gap_x(other, box) < -APART * height for other in near):
        return False
    middle = box.x + box.width / 2
    before = max((other for other in near if other.x < middle), key=lambda other: other.right, default=None)
    after = min((other for other in near if other.x > middle), key=lambda other: other.x, default=None)
    if after is None:
        return False
    beside = after if before is None else before
    if is_bar and MIDDLE[0] < (box.y + box.height / 2 - beside.y) / beside.height < MIDDLE[1]:
        return True
    depths = [(box.y - other.y) / other.height for other in (beside, after)]
    return before is not None and box.size <= MARK * height and min(depths) > LOW


def _join_stacked(units: Sequence[Unit], height: float) -> list[Unit]:
    """Return the units with signs above each other, as in = or ÷, joined."""
    joined: list[Unit] = []
    for unit in sorted(units, key=lambda unit: (not unit.is_sign, unit.box.x)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and unit.is_sign
            and last.is_sign
            and _gap_x(last.box, unit.box) < -0.5 * min(last.box.width, unit.box.width)
            and -last.box.overlaps(unit.box)[1] < MAX_STACK * height
        ):
            parts = tuple(sorted((*last.parts, *unit.parts)))
            joined[-1] = replace(last, parts=parts, box=Box.union([last.box, unit.box]))
        else:
            joined.append(unit)
    return joined


def _gap_x(first: Box, second: Box) -> float:
    """Return the distance of two boxes in x; below 0, minus their overlap."""
    return -first.overlaps(second)[0]


def _meets_y(other: Box, sign: Box) -> bool:
    """Return whether the middle of a sign lies beside ink, or a little above or below it."""
    middle = sign.y + sign.height / 2
    return other.y - 0.3 * other.height < middle < other.bottom + 0.3 * other.height
