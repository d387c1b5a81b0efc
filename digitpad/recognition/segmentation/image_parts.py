"""Images as parts: each connected component whole, or in pieces where digits may touch."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.components import bounding_boxes, bounds, label
from digitpad.ink.finding import FoundInk
from digitpad.ink.image import rasterize_ink
from digitpad.nn.arrays import Floats
from digitpad.recognition.segmentation.parts import BAR_ASPECT, Box, Part

MIN_ASPECT = 0.9
"""Width to height of the narrowest component that may be two digits."""

MIN_PIECE = 0.25
"""Smallest width of a piece on either side of a cut, in heights of the component."""

NECK = 0.45
"""Most ink in a column where a component is cut, as a share of its height."""

MAX_CUTS = 9
MAX_PARTS = 400
"""Largest number of components; smaller ones are left out if there are more."""

_INK = 0.3  # amount of ink from which a pixel belongs to a component


class DividedImage:
    """Components of an image's ink as parts, see `DividedInk`. Boxes are in pixels of the picture."""

    def __init__(self, found: FoundInk) -> None:
        self._ink = found.ink
        numbers = label(found.ink > _INK)
        boxes = bounding_boxes(numbers)
        sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
        kept = np.sort(np.argsort(-sizes, kind="stable")[:MAX_PARTS])
        self._pieces: list[tuple[int, int, Floats]] = []  # top and left of the ink of each part, and that ink
        self.parts: list[Part] = []
        order = kept[np.argsort(boxes[kept, 0], kind="stable")]
        for whole, component in enumerate(order):
            left, top, right, bottom = boxes[component].tolist()
            ink, top, left = _with_edge(found.ink, numbers, component + 1, (top, bottom, left, right))
            edges = [0, *_cuts(ink), ink.shape[1]]
            for begin, end in zip(edges[:-1], edges[1:], strict=True):
                piece = ink[:, begin:end]
                ys, xs = np.nonzero(piece > _INK)
                if not len(xs):
                    continue
                self._pieces.append((top, left + begin, piece))
                corners = np.array(
                    [
                        [xs.min() + left + begin, ys.min() + top],
                        [xs.max() + 1 + left + begin, ys.max() + 1 + top],
                    ]
                )
                box = Box.around(corners * found.scale + [found.x, found.y])
                is_bar = max(box.width, box.height) > BAR_ASPECT * min(box.width, box.height)
                self.parts.append(Part(box, whole, is_straight=is_bar and len(edges) == 2))

    def key(self, parts: Sequence[int]) -> Hashable:
        """Return what identifies the ink of these parts."""
        return tuple([(*self._pieces[part][:2], self._pieces[part][2].tobytes()) for part in parts])

    def rasterize(self, parts: Sequence[int]) -> NDArray[np.uint8]:
        """Return the network input for these parts: only their ink, scaled and centred like that of a whole image."""
        pieces = [self._pieces[part] for part in parts]
        top, left = min(piece[0] for piece in pieces), min(piece[1] for piece in pieces)
        bottom = max(piece[0] + piece[2].shape[0] for piece in pieces)
        right = max(piece[1] + piece[2].shape[1] for piece in pieces)
        ink = np.zeros((bottom - top, right - left))
        for row, column, piece in pieces:
            place = ink[row - top : row - top + piece.shape[0], column - left : column - left + piece.shape[1]]
            np.maximum(place, piece, out=place)
        return rasterize_ink(ink)


def _with_edge(
    ink: Floats, numbers: NDArray[np.int32], number: int, box: tuple[int, int, int, int]
) -> tuple[Floats, int, int]:
    """Return the ink of a component with its soft edge, and its top and left."""
    top, left = max(0, box[0] - 1), max(0, box[2] - 1)
    part = np.s_[top : box[1] + 1, left : box[3] + 1]
    own = numbers[part]
    return np.where((own == number) | (own == 0), ink[part], 0.0), top, left


def _cuts(ink: Floats) -> list[int]:
    """Return the columns at which a component may be cut: those with the least ink, from left to right."""
    box = bounds(ink > _INK)
    if box is None:
        return []
    top, bottom, left, right = box
    height, width = bottom - top, right - left
    if width < MIN_ASPECT * height:
        return []
    amounts = ink[top:bottom, left:right].sum(axis=0) / height
    margin = max(2, round(MIN_PIECE * height))
    smooth = np.convolve(np.pad(amounts, 1, mode="edge"), np.full(3, 1 / 3), "valid")
    chosen: list[int] = []
    for column in np.argsort(smooth, kind="stable").tolist():
        if len(chosen) == MAX_CUTS or smooth[column] > NECK:
            break
        if margin <= column <= width - margin and all(abs(column - other) >= margin for other in chosen):
            chosen.append(column)
    return sorted(left + column for column in chosen)
