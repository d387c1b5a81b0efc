"""Parts: the smallest pieces of ink that a digit consists of, from strokes or from an image.

The search does not know where the parts come from. For strokes, a part is a stroke, or a piece of a stroke between two
places where it may be cut. For an image, a part is a connected component, or a piece of one.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats

BAR_ASPECT = 2.5
"""Smallest ratio of the sides of a bar, such as a minus sign."""


class Box(NamedTuple):
    """Bounding box, in the unit of the ink; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def around(cls, points: Floats) -> Self:
        """Return the box of points, shape (n_points, 2)."""
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return cls(left, top, right - left, bottom - top)

    @classmethod
    def union(cls, boxes: Sequence["Box"]) -> Self:
        """Return the box of one or more boxes."""
        left, top, width, height = boxes[0]
        right, bottom = left + width, top + height
        for x, y, width, height in boxes[1:]:
            left, top, right, bottom = min(left, x), min(top, y), max(right, x + width), max(bottom, y + height)
        return cls(left, top, right - left, bottom - top)

    @property
    def right(self) -> float:
        """Largest x."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Largest y."""
        return self.y + self.height

    def overlaps(self, other: "Box") -> tuple[float, float]:
        """Return the overlap with another box in x and in y; below 0, the gap between them."""
        return (
            min(self.right, other.right) - max(self.x, other.x),
            min(self.bottom, other.bottom) - max(self.y, other.y),
        )

    @property
    def size(self) -> float:
        """Width or height, whichever is larger."""
        return max(self.width, self.height)


@dataclass(frozen=True, eq=False)
class Part:
    """Piece of ink that belongs to a single digit.

    Attributes
    ----------
    box : Box
    whole : int
        Number of the stroke or component. Consecutive parts with the same number are one piece of ink, which the search
        cuts between them only if this gives a better reading.
    joins : bool
        Whether it may only join two digits, and so belong to none.
    is_straight : bool
        Whether it is a straight line, such as a minus sign.
    """

    box: Box
    whole: int
    joins: bool = False
    is_straight: bool = False


class DividedInk(Protocol):
    """Ink as parts, and the network input for any set of parts.

    Attributes
    ----------
    parts : sequence of Part
        In writing order, or from left to right. The parts of a whole follow each other.
    """

    @property
    def parts(self) -> Sequence[Part]: ...

    def key(self, parts: Sequence[int]) -> Hashable:
        """Return what identifies the ink of these parts: equal for equal ink, also in another `DividedInk`."""
        ...

    def rasterize(self, parts: Sequence[int]) -> NDArray[np.uint8]:
        """Return the network input for these parts, given by ascending index: uint8 of shape (28, 28)."""
        ...
