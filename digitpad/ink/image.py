"""Preprocessing of images of any size, polarity and background to the 28 × 28 network input.

First, the ink is separated from the background, as a share of 0..1 per pixel. Then specks are removed, and strokes
whose width is outside the range of MNIST are thinned or thickened. Finally, the ink is scaled into the box and placed
by its centre of mass.
"""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import InkError, reason
from digitpad.ink.raster import BOX, CENTRE, SIDE, centre_of_mass, not_specks
from digitpad.nn.arrays import Floats

if TYPE_CHECKING:
    from PIL import Image

MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")

WORK_SIDE = 240
"""Longest side in pixels for finding ink; larger images are averaged down to it. 28 × 28 needs no more detail."""

STROKE_WIDTHS_PX = (1.8, 3.8)
"""Smallest and largest stroke width in the box; 90 % of MNIST's training images lie in this range."""

_FINE = 4  # pixels of the fine grid, on which strokes are thinned and thickened, per pixel of the box
_MIN_CONTRAST = 0.06  # between ink and background, as a share of the full range; fainter marks are noise


def read_image(path: Path) -> NDArray[np.uint8]:
    """Load the pixels of an image file, RGBA of shape (height, width, 4), rotated upright by the EXIF orientation.

    Raises
    ------
    InkError
        If the file cannot be read, is not an image of a supported format, or is too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # this import takes 15 ms, which would delay the start

    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InkError(path, f"is too large; the limit is {MAX_FILE_BYTES // 2**20} MB")
        with _without_warnings(), Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InkError(path, f"has {image.width} × {image.height} pixels; the limit is {MAX_PIXELS:,} pixels")
            image.draft("RGB", (2 * WORK_SIDE, 2 * WORK_SIDE))  # decodes a JPEG at a reduced size
            upright = _eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
            upright.thumbnail((2 * WORK_SIDE, 2 * WORK_SIDE), Image.Resampling.BOX)
            return np.asarray(upright)
    except InkError:
        raise
    except UnidentifiedImageError as error:
        raise InkError(path, f"is not an image; supported formats: {', '.join(FORMATS)}") from error
    # Pillow's decoders raise any of these errors for damaged files.
    except (OSError, SyntaxError, TypeError, ValueError, EOFError, MemoryError, Image.DecompressionBombError) as error:
        raise InkError(path, f"cannot be read as an image ({reason(error)})") from error


def is_image(path: Path) -> bool:
    """Return whether a file's content starts like an image of a supported format; the file name does not matter."""
    from PIL import Image

    try:
        if not path.is_file():  # opening a pipe would block
            return False
        with _without_warnings(), Image.open(path, formats=FORMATS):
            return True
    except (OSError, SyntaxError, TypeError, ValueError, EOFError, MemoryError, Image.DecompressionBombError):
        return False


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Suppress Pillow's warnings about metadata and large sizes inside the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _eight_bits(image: "Image.Image") -> "Image.Image":
    """Scale 16 and 32 bits per pixel to 8 bits, because Pillow would clip the values."""
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image
    levels = np.nan_to_num(np.asarray(image, float))
    top = 65535.0 if image.mode.startswith("I;16") else max(float(levels.max()), 1.0)
    return Image.fromarray(np.clip(levels * (255 / top), 0, 255).astype(np.uint8))


def find_ink(pixels: NDArray[np.uint8]) -> Floats:
    """Return the amount of ink at each pixel, 0..1, for dark ink on light paper or light ink on dark paper.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 4)

    Returns
    -------
    ndarray of float, two-dimensional, with sides of at most `WORK_SIDE`
    """
    levels = _flatten_alpha(pixels)
    longer = max(levels.shape)
    if longer > WORK_SIDE:
        height, width = (max(1, round(side * WORK_SIDE / longer)) for side in levels.shape)
        levels = _resample(levels, 0, levels.shape[0] / height, height, 0, levels.shape[1] / width, width)
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    if np.median(border) > (levels.min() + levels.max()) / 2:
        levels = 1 - levels
    contrast = np.maximum(levels - _background(levels), 0)

    threshold = _otsu(contrast)
    dark, light = contrast[contrast <= threshold], contrast[contrast > threshold]
    if not light.size or light.mean() - dark.mean() < _MIN_CONTRAST:
        return np.zeros_like(contrast)
    # Noise level of the background, 0 in a clean image; fainter pixels are not ink.
    noise = min(3 * float(np.median(dark)) + 2 * float(dark.std() if np.median(dark) > 0 else 0), float(threshold))
    full = float(np.percentile(light, 75))
    return np.clip((contrast - noise) / max(full - noise, 1e-6), 0, 1)


def rasterize_ink(ink: Floats) -> NDArray[np.uint8]:
    """Return the network input for ink of 0..1 per pixel: uint8 of shape (28, 28), all 0 if there is no ink."""
    ink = _drop_specks(ink)
    box = _bounds(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = _fit_stroke_width(ink, box)
    box = _bounds(ink)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    top, bottom, left, right = box
    ink = ink[top:bottom, left:right]
    pixel = max(ink.shape) / BOX  # size of a pixel of the box, in pixels of the ink
    centre = centre_of_mass(ink) + 0.5  # measured from the corner, not from the centre of the first pixel
    middle = np.array(ink.shape[::-1]) / 2
    room = (SIDE - BOX) / 2 * pixel
    centre = np.clip(centre, middle - room, middle + room)  # keep all ink inside the image
    x, y = centre - (CENTRE + 0.5) * pixel
    image = _resample(ink, y, pixel, SIDE, x, pixel, SIDE)
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _flatten_alpha(pixels: NDArray[np.uint8]) -> Floats:
    """Return grey levels of 0..1; transparent pixels become white behind dark ink, and black behind light ink."""
    if pixels.ndim == 2:
        return pixels / 255.0
    levels: Floats = pixels[..., :3] @ np.array([0.299, 0.587, 0.114]) / 255
    alpha = pixels[..., 3] / 255.0
    if alpha.min() == 1:
        return levels
    ink_is_light = (levels * alpha).sum() > 0.5 * alpha.sum()
    return levels * alpha + (0.0 if ink_is_light else 1.0) * (1 - alpha)


def _background(levels: Floats) -> Floats:
    """Return the background of light ink: a quadratic surface fitted to the darker part of each tile.

    Such a surface also models a shadow or a vignette.
    """
    height, width = levels.shape
    rows = np.array_split(np.arange(height), min(8, height))
    columns = np.array_split(np.arange(width), min(8, width))
    samples = np.array([[r.mean(), c.mean(), np.percentile(levels[np.ix_(r, c)], 25)] for r in rows for c in columns])
    y, x, level = samples.T
    terms = np.stack([np.ones_like(y), y, x, y * y, x * x, x * y], axis=1)
    kept = np.ones(len(level), bool)
    for _ in range(4):  # tiles full of ink lie above the surface of the other tiles: exclude them and fit again
        weights, *_ = np.linalg.lstsq(terms[kept], level[kept], rcond=None)
        error = level - terms @ weights
        kept = error <= max(0.02, 1.5 * float(np.median(np.abs(error[kept]))))
        if kept.sum() < 6:
            return np.full_like(levels, np.median(level))
    v, u = np.indices(levels.shape, float)
    surface = np.stack([np.ones_like(v), v, u, v * v, u * u, u * v], axis=-1) @ weights
    if np.ptp(level[kept]) < 0.02:  # a uniform background needs no surface
        return np.full_like(levels, np.median(level[kept]))
    return np.clip(surface, level.min() - 0.05, 1)


def _otsu(values: Floats) -> float:
    """Return the threshold that splits values of 0..1 into two classes with maximal between-class variance.

    Otsu (1979).
    """
    counts, edges = np.histogram(values, bins=128, range=(0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1 + np.argmax(np.nan_to_num(between))])


def _drop_specks(ink: Floats) -> Floats:
    """Return the ink without connected components that are specks, by the same rule as for strokes."""
    parts = _label(ink > 0.3)
    n_parts = int(parts.max())
    if n_parts < 2:
        return ink
    ys, xs = np.nonzero(parts)
    labels = parts[ys, xs] - 1
    boxes = np.empty((n_parts, 2, 2))
    boxes[:, 0], boxes[:, 1] = np.inf, -np.inf
    for axis, places in enumerate((xs, ys)):
        np.minimum.at(boxes[:, 0, axis], labels, places)
        np.maximum.at(boxes[:, 1, axis], labels, places + 1)
    kept = np.concatenate([[True], not_specks(boxes)])
    if kept.all():
        return ink
    # Also remove the faint edge of each speck, but keep that of the digit.
    removed = _grow(~kept[parts], 2) & ~_grow(kept[parts] & (parts > 0), 2)
    return np.where(removed, 0.0, ink)


def _label(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number the connected components (8-connectivity) from 1, with 0 outside: union-find over the runs of each row."""
    height, width = mask.shape
    framed = np.zeros((height, width + 2), np.int8)
    framed[:, 1:-1] = mask
    change = np.diff(framed, axis=1)
    rows, begins = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    first: list[int] = np.searchsorted(rows, np.arange(height + 1)).tolist()
    for row in range(1, height):
        above, run = first[row - 1], first[row]
        while above < first[row] and run < first[row + 1]:
            if begins[above] <= ends[run] and begins[run] <= ends[above]:
                parent[root(above)] = root(run)
            if ends[above] < ends[run]:
                above += 1
            else:
                run += 1
    _, numbers = np.unique([root(run) for run in range(len(rows))], return_inverse=True)
    parts = np.zeros((height, width), np.intp)
    for place, number in enumerate(numbers):
        parts[rows[place], begins[place] : ends[place]] = number + 1
    return parts


def _grow(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    grown = mask.copy()
    for _ in range(steps):
        grown[1:] |= grown[:-1].copy()
        grown[:-1] |= grown[1:].copy()
        grown[:, 1:] |= grown[:, :-1].copy()
        grown[:, :-1] |= grown[:, 1:].copy()
    return grown


def _bounds(ink: Floats) -> tuple[int, int, int, int] | None:
    """Return the top, bottom, left and right of the ink, with exclusive ends, or None without ink."""
    rows, columns = (np.flatnonzero((ink > 0.1).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def stroke_width(ink: Floats) -> float:
    """Return the mean stroke width in pixels: twice the area divided by the length of the outline.

    A stroke of width w and length l has an area of w · l and an outline of about 2 l. For soft edges, the length of the
    outline is the sum of the gradient magnitudes (the total variation).
    """
    framed = np.pad(ink, 1)
    across = (framed[1:, 1:] - framed[1:, :-1] + framed[:-1, 1:] - framed[:-1, :-1]) / 2
    down = (framed[1:, 1:] - framed[:-1, 1:] + framed[1:, :-1] - framed[:-1, :-1]) / 2
    return 2 * float(ink.sum()) / max(float(np.hypot(across, down).sum()), 1e-9)


def _fit_stroke_width(ink: Floats, box: tuple[int, int, int, int]) -> Floats:
    """Thin or thicken the ink on a fine grid if its stroke width is outside the range of MNIST."""
    top, bottom, left, right = box
    size = max(bottom - top, right - left)
    width_px = stroke_width(ink[top:bottom, left:right]) * BOX / size
    low, high = STROKE_WIDTHS_PX
    if low <= width_px <= high:
        return ink
    margin = 2 * _FINE  # space for thicker strokes
    pixel = size / (BOX * _FINE)
    side = BOX * _FINE + 2 * margin
    fine = _resample(ink, top - margin * pixel, pixel, side, left - margin * pixel, pixel, side)
    if width_px < low and (peak := float(fine.max())) > 0:
        fine = np.clip(fine / peak, 0, 1)  # averaging makes a hairline faint, so restore full ink
    radius = (np.clip(width_px, low, high) - width_px) / 2 * _FINE
    return _dilate(fine, radius) if radius > 0 else 1 - _dilate(1 - fine, -radius)


def _dilate(ink: Floats, radius: float) -> Floats:
    """Apply greyscale dilation by a disc: each pixel becomes the maximum within ``radius`` pixels."""
    reach = int(np.ceil(radius))
    framed = np.pad(ink, reach, mode="edge")
    height, width = ink.shape
    dilated = ink.copy()
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            # The outermost ring is weighted by its overlap with the disc, so that the width grows continuously.
            share = np.clip(radius + 1 - np.hypot(dy, dx), 0, 1)
            if share > 0:
                part = framed[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
                np.maximum(dilated, share * part, out=dilated)
    return dilated


def _resample(image: Floats, y: float, step_y: float, height: int, x: float, step_x: float, width: int) -> Floats:
    """Resample to (height, width) pixels, each the mean over ``step_y`` × ``step_x`` input pixels, starting at (y, x).

    Pixels outside the image count as 0. Enlarging interpolates linearly instead, because a mean over less than a pixel
    would only repeat that pixel.
    """
    return _weights(image.shape[0], y, step_y, height) @ image @ _weights(image.shape[1], x, step_x, width).T


def _weights(n_in: int, begin: float, step: float, n_out: int) -> Floats:
    """Return the share of each input pixel in each output pixel; shape (n_out, n_in), with row sums of at most 1."""
    inputs = np.arange(n_in)
    if step < 1:
        centres = begin + (np.arange(n_out) + 0.5) * step - 0.5
        return np.maximum(0.0, 1 - np.abs(centres[:, None] - inputs))
    edges = begin + np.arange(n_out + 1) * step
    overlap = np.minimum(edges[1:, None], inputs + 1) - np.maximum(edges[:-1, None], inputs)
    return np.maximum(overlap, 0.0) / step
