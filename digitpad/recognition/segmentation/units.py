"""Units of ink, which the search does not divide, and the height of digits."""

from collections.abc import Sequence
from dataclasses import dataclass

from digitpad.recognition.segmentation.parts import Box

TALL = 0.45
"""Height of a unit that shapes a line, as a share of the height of digits; bars, dots and hats are lower."""

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
    is_sign : bool
        Whether it is a point, comma, minus or plus sign, which belongs to no digit.
    """

    parts: tuple[int, ...]
    box: Box
    whole: int
    n_pieces: int = 1
    joins: bool = False
    is_sign: bool = False


def digit_height(units: Sequence[Unit]) -> float:
    """Return the height of digits: that of the tallest units, but not of a single one among many."""
    heights = sorted((unit.box.height for unit in units), reverse=True)
    widest = max(unit.box.width for unit in units)
    return max(heights[len(heights) // 6], FLAT * widest) or 1.0
