"""Drawing on the pad: strokes, optionally on top of an image."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import FileError
from digitpad.ink.components import bounds
from digitpad.ink.image import WORK_SIDE, rasterize_ink
from digitpad.ink.raster import SIDE, rasterize
from digitpad.ink.strokes import CANVAS_PX, Stroke, distance_to_path, erase, read_strokes
from digitpad.nn.arrays import Floats

IMAGE_SIDE = WORK_SIDE
"""Side of a drawing's image in pixels; the image covers the whole canvas."""

NUMBER_IMAGE_SIDE = 2 * IMAGE_SIDE
"""The same for an image with several digits."""

_NUMBER_MARGIN = 0.08  # on each side, as a share of the ink's longest side

_SAMPLE_ZOOM = 9
SAMPLE_SIDE = _SAMPLE_ZOOM * SIDE
"""Side of a dataset image on the canvas: each of its pixels is enlarged by a whole number."""

MAX_STROKES, MAX_POINTS = 1000, 20_000


@dataclass(frozen=True, eq=False)
class Drawing:
    """Immutable content of the pad; every change returns a new drawing, so that undo restores the previous drawing.

    Attributes
    ----------
    strokes : tuple of Stroke
    image : ndarray of uint8, square, with sides of IMAGE_SIDE, NUMBER_IMAGE_SIDE or SAMPLE_SIDE, optional
        Ink from 0 (none) to 255. An image of side `SAMPLE_SIDE` is a dataset image, which becomes the network input
        without any preprocessing.
    """

    strokes: tuple[Stroke, ...] = ()
    image: NDArray[np.uint8] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the drawing has no ink."""
        return not self.strokes and (self.image is None or not self.image.any())

    @property
    def is_sample(self) -> bool:
        """Whether the drawing contains a dataset image, with or without strokes."""
        return self.image is not None and len(self.image) == SAMPLE_SIDE

    @classmethod
    def from_pixels(cls, pixels: NDArray[np.uint8]) -> "Drawing":
        """Return a drawing with the ink of an image, centred on the pad and as large as fits."""
        from digitpad.ink.finding import find_ink

        return cls.from_ink(find_ink(pixels))

    @classmethod
    def from_ink(cls, ink: Floats) -> "Drawing":
        """Return a drawing of ink of 0..1 per pixel, centred on the pad and as large as fits."""
        top, left = ((max(ink.shape) - side) // 2 for side in ink.shape)
        square = np.zeros((max(ink.shape),) * 2)
        square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
        places = np.arange(IMAGE_SIDE) * len(square) // IMAGE_SIDE
        return cls(image=np.rint(square[np.ix_(places, places)] * 255).astype(np.uint8))

    @classmethod
    def from_number(cls, ink: Floats) -> "Drawing":
        """Return a drawing of ink of 0..1 per pixel with several digits: cropped to the ink, with more detail."""
        from PIL import Image

        box = bounds(ink > 0)
        if box is None:
            return cls()
        top, bottom, left, right = box
        height, width = bottom - top, right - left
        side = round((1 + 2 * _NUMBER_MARGIN) * max(height, width))
        square = np.zeros((side, side), np.uint8)
        row, column = (side - height) // 2, (side - width) // 2
        square[row : row + height, column : column + width] = np.rint(ink[top:bottom, left:right] * 255)
        method = Image.Resampling.BOX if side >= NUMBER_IMAGE_SIDE else Image.Resampling.BICUBIC
        return cls(image=np.array(Image.fromarray(square).resize((NUMBER_IMAGE_SIDE,) * 2, method)))

    @classmethod
    def from_sample(cls, image: NDArray[np.uint8]) -> "Drawing":
        """Return a drawing of a dataset image, shape (28, 28), which is not centred or scaled again."""
        return cls(image=image.repeat(_SAMPLE_ZOOM, axis=0).repeat(_SAMPLE_ZOOM, axis=1))

    def painted(self) -> tuple[NDArray[np.uint8], float, float]:
        """Return the image with the strokes painted into it, with the displayed pen width.

        Returns
        -------
        image : ndarray of uint8, shape (height, width)
            The canvas, and on each side what the strokes beyond it need.
        x, y : float
            Its top left corner in canvas pixels, 0 without strokes beyond the canvas.
        """
        image = np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8) if self.image is None else self.image.copy()
        px = CANVAS_PX / len(image)
        before = after = np.zeros(2, int)
        for stroke in self.strokes if not self.is_sample else ():
            low, high = stroke.points.min(axis=0), stroke.points.max(axis=0)
            margin = np.where((low < 0) | (high > CANVAS_PX), stroke.width_px / 2 + 1, 0.0)
            before = np.maximum(before, np.ceil((margin - low) / px).astype(int))
            after = np.maximum(after, np.ceil((high + margin - CANVAS_PX) / px).astype(int))
        image = np.pad(image, [(int(before[axis]), int(after[axis])) for axis in (1, 0)])
        corner = -before * px
        for stroke in self.strokes:
            _paint(image, stroke.points - corner, stroke.width_px / 2, 255, px)
        return image, float(corner[0]), float(corner[1])

    def part(self, left: float, top: float, width: float, height: float) -> "Drawing":
        """Return the ink within a box, in canvas pixels, as a drawing of its own."""
        image, x, y = self.painted()
        px = CANVAS_PX / (IMAGE_SIDE if self.image is None else len(self.image))
        first_row, first_column = max(0, int((top - y) / px)), max(0, int((left - x) / px))
        last_row, last_column = int(np.ceil((top + height - y) / px)), int(np.ceil((left + width - x) / px))
        return Drawing.from_ink(image[first_row:last_row, first_column:last_column] / 255)

    def with_stroke(self, stroke: Stroke) -> "Drawing":
        """Return the drawing with one more stroke."""
        return replace(self, strokes=(*self.strokes, stroke))

    def erased(self, path: Floats, radius_px: float) -> "Drawing":
        """Return the drawing after erasing along ``path``, shape (n_points, 2), in canvas pixels."""
        image = self.image
        if image is not None:
            erased = image.copy()
            _paint(erased, path, radius_px, 0, CANVAS_PX / len(image))
            if not np.array_equal(erased, image):  # keep the same array if there is nothing to undo
                image = erased
        return Drawing(erase(self.strokes, path, radius_px), image)

    def rasterize(self) -> NDArray[np.uint8]:
        """Return the network input: uint8 of shape (28, 28).

        A drawing without an image is rasterised from the paths of its strokes. Strokes on top of an image are painted
        into the image, with the displayed pen width, because the digit consists of both. A dataset image is already in
        the form of the network input; drawing on it or erasing changes no other pixels.
        """
        if self.image is None or not self.image.any():
            return rasterize([stroke.points for stroke in self.strokes])
        image, _, _ = self.painted()
        if self.is_sample:
            squares = image.reshape(SIDE, _SAMPLE_ZOOM, SIDE, _SAMPLE_ZOOM)
            return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)
        return rasterize_ink(image / 255)


def _paint(image: NDArray[np.uint8], path: Floats, radius_px: float, value: int, px: float) -> None:
    """Set the pixels within ``radius_px`` canvas pixels of the path; each pixel is ``px`` canvas pixels wide."""
    reach = radius_px + 1
    size = np.array(image.shape[::-1])
    low = np.clip(((path.min(axis=0) - reach) / px).astype(int), 0, size)
    high = np.clip(((path.max(axis=0) + reach) / px).astype(int) + 1, 0, size)
    if (low >= high).any():
        return
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    centres = (np.stack([x.ravel(), y.ravel()], axis=1) + 0.5) * px
    near = distance_to_path(centres, path).reshape(x.shape) < radius_px
    image[low[1] : high[1], low[0] : high[0]][near] = value


def read_drawings(path: Path, max_drawings: int) -> tuple[list[tuple[str, Drawing]], str]:
    """Load the first drawings of a strokes file, each fit to the canvas.

    Returns
    -------
    drawings : list of (str, Drawing)
        Label, which may be empty, and at most `MAX_STROKES` strokes and `MAX_POINTS` points; more would freeze a
        window that paints them.
    note : str
        What was left out, in words for the user, or an empty string.

    Raises
    ------
    FileError
        If the file cannot be read or contains no strokes.
    """
    if path.is_fifo():  # on the command line a pipe has a writer; a window would wait for one
        raise FileError(path, "is not a regular file")
    drawings, notes = [], []
    for line in itertools.islice(read_strokes(path), max_drawings):
        if line.paths:
            strokes, note = _bounded(path, line.paths)
            drawings.append(("" if line.label is None else str(line.label), Drawing(tuple(map(Stroke, strokes)))))
            notes.append(note)
    if not drawings:
        raise FileError(path, "contains no strokes")
    return drawings, next(filter(None, notes), "")


def _bounded(path: Path, strokes: list[Floats]) -> tuple[list[Floats], str]:
    """Return strokes that the pad can show quickly, and a note if some were left out."""
    paths = fit_to_canvas(strokes)
    if sum(map(len, paths)) > MAX_POINTS:
        paths = [_simplified(points) for points in paths]
    n_points = np.cumsum([len(points) for points in paths[:MAX_STROKES]])
    kept = paths[: max(1, int(np.searchsorted(n_points, MAX_POINTS, side="right")))]
    kept[0] = kept[0][:MAX_POINTS]
    note = "" if len(kept) == len(paths) else f"{path.name}: shows the first {len(kept):,} of {len(paths):,} strokes"
    return kept, note


def _simplified(points: Floats) -> Floats:
    """Return the points without those in the same canvas pixel as the point before."""
    moves = np.any(np.diff(np.floor(points), axis=0) != 0, axis=1)
    return points[np.concatenate([[True], moves])]


def fit_to_canvas(paths: list[Floats]) -> list[Floats]:
    """Return the paths unchanged if they lie on the canvas, else scaled and centred."""
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
