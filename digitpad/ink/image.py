"""Preprocessing of images of any size, polarity and background to the 28 × 28 network input.

First, the ink is separated from the background, as a share of 0..1 per pixel. Then specks are removed, and strokes
whose width is outside the range of MNIST are thinned or thickened. Finally, the ink is scaled into the box and placed
by its centre of mass.
"""

import contextlib
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import InkError, reason
from digitpad.ink.components import bounding_boxes, bounds, grow, label
from digitpad.ink.raster import BOX, CENTRE, SIDE, centre_of_mass, not_specks
from digitpad.nn.arrays import Floats

if TYPE_CHECKING:
    from PIL import Image

MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")

MAX_SIDE = 4096
"""Longest side in pixels of what is read from a file; larger images are averaged down to it."""

WORK_SIDE = 240
"""Longest side in pixels of the ink of a single digit; 28 × 28 needs no more detail."""

STROKE_WIDTHS_PX = (1.8, 3.8)
"""Smallest and largest stroke width in the box; 90 % of MNIST's training images lie in this range."""

_FINE = 4  # pixels of the fine grid, on which strokes are thinned and thickened, per pixel of the box


def read_image(path: Path) -> NDArray[np.uint8]:
    """Load the pixels of an image file, RGBA of shape (height, width, 4), rotated upright by the EXIF orientation.

    Raises
    ------
    InkError
        If the file cannot be read, is not an image of a supported format, or is too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError  # this import takes 15 ms, which would delay the start

    try:
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode):  # opening a pipe would block
            raise InkError(path, "is not a regular file")
        if status.st_size > MAX_FILE_BYTES:
            raise InkError(path, f"is too large; the limit is {MAX_FILE_BYTES // 2**20} MB")
        with _without_warnings(), Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InkError(path, f"has {image.width} × {image.height} pixels; the limit is {MAX_PIXELS:,} pixels")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # decodes a JPEG at a reduced size
            upright = _eight_bits(ImageOps.exif_transpose(image)).convert("RGBA")
            upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.BOX)
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


def rasterize_ink(ink: Floats) -> NDArray[np.uint8]:
    """Return the network input for ink of 0..1 per pixel: uint8 of shape (28, 28), all 0 if there is no ink."""
    ink = _drop_specks(ink)
    box = bounds(ink > 0.1)
    if box is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = _fit_stroke_width(ink, box)
    box = bounds(ink > 0.1)
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


def _drop_specks(ink: Floats) -> Floats:
    """Return the ink without connected components that are specks, by the same rule as for strokes."""
    parts = label(ink > 0.3)
    boxes = bounding_boxes(parts)
    if len(boxes) < 2:
        return ink
    kept = np.concatenate([[True], not_specks(boxes.reshape(-1, 2, 2).astype(float))])
    if kept.all():
        return ink
    # Also remove the faint edge of each speck, but keep that of the digit.
    removed = grow(~kept[parts], 2) & ~grow(kept[parts] & (parts > 0), 2)
    return np.where(removed, 0.0, ink)


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
