"""What is on the pad: strokes, and perhaps the ink of an image under them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import FileError
from digitpad.ink.image import WORK_SIDE, find_ink, rasterize_ink
from digitpad.ink.raster import SIDE, rasterize
from digitpad.ink.strokes import CANVAS_PX, Stroke, distance_to_path, erase, read_strokes
from digitpad.nn.arrays import Floats

IMAGE_SIDE = WORK_SIDE
"""The ink of an image is kept as this many pixels a side, which cover the whole canvas."""

_SAMPLE_ZOOM = 9
SAMPLE_SIDE = _SAMPLE_ZOOM * SIDE
"""That of a data set's image: a whole number of them to each of its own pixels."""


@dataclass(frozen=True, eq=False)
class Drawing:
    """The pad's content; every change makes another drawing, so that undoing is going back to the one before.

    Attributes
    ----------
    strokes : tuple of Stroke
    image : ndarray of uint8, shape (IMAGE_SIDE, IMAGE_SIDE) or (SAMPLE_SIDE, SAMPLE_SIDE), optional
        Ink from 0 (none) to 255. Of the latter shape it is a data set's, which the network sees as it is.
    """

    strokes: tuple[Stroke, ...] = ()
    image: NDArray[np.uint8] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no ink at all."""
        return not self.strokes and (self.image is None or not self.image.any())

    @property
    def is_sample(self) -> bool:
        """Whether it is a data set's image, perhaps with strokes on it."""
        return self.image is not None and len(self.image) == SAMPLE_SIDE

    @classmethod
    def from_pixels(cls, pixels: NDArray[np.uint8]) -> "Drawing":
        """The ink of an image, in the middle of the pad and as large as fits."""
        ink = find_ink(pixels)
        top, left = ((max(ink.shape) - side) // 2 for side in ink.shape)
        square = np.zeros((max(ink.shape),) * 2)
        square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        places = np.arange(IMAGE_SIDE) * len(square) // IMAGE_SIDE
        return cls(image=np.rint(square[np.ix_(places, places)] * 255).astype(np.uint8))

    @classmethod
    def from_sample(cls, image: NDArray[np.uint8]) -> "Drawing":
        """An image as data sets have them, of shape (28, 28): it is neither scaled nor moved, as it was before."""
        return cls(image=image.repeat(_SAMPLE_ZOOM, axis=0).repeat(_SAMPLE_ZOOM, axis=1))

    def with_stroke(self, stroke: Stroke) -> "Drawing":
        """The drawing after one more stroke."""
        return replace(self, strokes=(*self.strokes, stroke))

    def erased(self, path: Floats, radius_px: float) -> "Drawing":
        """The drawing after an eraser of that radius went along ``path``, of shape (n_points, 2) in canvas pixels."""
        image = self.image
        if image is not None:
            erased = image.copy()
            _paint(erased, path, radius_px, 0)
            if not np.array_equal(erased, image):  # else there is nothing to undo
                image = erased
        return Drawing(erase(self.strokes, path, radius_px), image)

    def rasterize(self) -> NDArray[np.uint8]:
        """What the network sees of it: uint8 of shape (28, 28).

        Strokes alone are drawn anew from their paths. Over an image they become pixels of it, as wide as the pen is
        shown, for only together they are the digit. A data set's image is already as the network sees it, and what is
        drawn on it or erased changes no other pixel.
        """
        if self.image is None or not self.image.any():
            return rasterize([stroke.points for stroke in self.strokes])
        image = self.image.copy()
        for stroke in self.strokes:
            _paint(image, stroke.points, stroke.width_px / 2, 255)
        if self.is_sample:
            squares = image.reshape(SIDE, _SAMPLE_ZOOM, SIDE, _SAMPLE_ZOOM)
            return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)
        return rasterize_ink(image / 255)


def _paint(image: NDArray[np.uint8], path: Floats, radius_px: float, value: int) -> None:
    """Set the pixels within ``radius_px`` canvas pixels of the path."""
    reach = radius_px + 1
    px = CANVAS_PX / len(image)  # canvas pixels to one of the image
    low = np.clip(((path.min(axis=0) - reach) / px).astype(int), 0, len(image))
    high = np.clip(((path.max(axis=0) + reach) / px).astype(int) + 1, 0, len(image))
    if (low >= high).any():
        return
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    middles = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * px
    near = distance_to_path(middles, path).reshape(x.shape) < radius_px
    image[low[1] : high[1], low[0] : high[0]][near] = value


def first_drawing(path: Path) -> Drawing:
    """The first drawing of a strokes file, made to fit the pad where its points lie elsewhere.

    Raises
    ------
    FileError
        If it cannot be read or holds no strokes.
    """
    line = next(read_strokes(path), None)
    if line is None or not line.paths:
        raise FileError(path, "holds no strokes")
    return Drawing(tuple(Stroke(points) for points in _fit_to_canvas(line.paths)))


def _fit_to_canvas(paths: list[Floats]) -> list[Floats]:
    """The paths as they are if they lie on the canvas, else scaled and moved into its middle."""
    low = min(path.min() for path in paths)
    high = max(path.max() for path in paths)
    if low >= 0 and high <= CANVAS_PX:
        return paths
    lows = [min(path[:, axis].min() for path in paths) for axis in (0, 1)]
    highs = [max(path[:, axis].max() for path in paths) for axis in (0, 1)]
    extent = max(high - low for low, high in zip(lows, highs, strict=True)) or 1.0
    scale = 0.7 * CANVAS_PX / extent
    middle = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    return [(path - middle) * scale + CANVAS_PX / 2 for path in paths]
