"""Preparation of images as MNIST's are: light ink on black, 28 × 28 pixels, in a box of 20, by their centre of mass.

A network trained on MNIST reads images correctly only if they are prepared in the same way. ``digitpad predict`` and
the window prepare each image; here, whole datasets are prepared with the same functions.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad import assets
from digitpad.class_names import DIGITS
from digitpad.datasets.digits import SIDE, TELL_EVERY, RawPart, ReaderResult
from digitpad.datasets.readers.idx import read_idx
from digitpad.formats.progress import ProgressCallback
from digitpad.ink.drawing import Drawing
from digitpad.ink.image import rasterize_ink
from digitpad.ink.raster import BOX, CENTRE

AUTO, ALWAYS, NEVER = NORMALISE = ("auto", "always", "never")
"""Whether to normalise images of 28 × 28 pixels: if they seem to need it, always, or never."""

MAX_NORMALISED = 2000
"""Larger datasets are not normalised unless asked for: they are published ones, and an image takes up to 20 ms."""

_N_INSPECTED = 500
_LIGHT_BORDER = 160  # median border of dark ink on light paper is above
_MAX_INK_SHARE = 0.25  # MNIST has 0.13; clothing (Fashion-MNIST) 0.29
_MIN_INK = 25  # fainter pixels are noise
_BOX_PX = (BOX - 3, BOX + 1)
_CENTRE_PX = 1.5  # largest distance of the centre of mass from the centre; MNIST's is at most 0.5
_NORMALISED_SHARE = 0.5
_ENLARGED_SIDE = 60  # the smallest side that small images are enlarged to
_N_TEMPLATES = 2000
_MIN_FOR_ORIENTATION = 50


def prepared(result: ReaderResult, normalise: str, tell: ProgressCallback) -> ReaderResult:
    """Return the content of a dataset's files with all images prepared.

    Images of another size are enlarged smoothly or reduced, then scaled into the box and centred. Images of 28 × 28
    pixels are inverted if they are dark on light, and normalised according to ``normalise``. Notes describe the
    changes. Datasets of known families, such as EMNIST, keep their images, and so do those of other classes than digits
    and letters, for which size and place may matter.

    Parameters
    ----------
    result : ReaderResult
    normalise : {"auto", "always", "never"}
    tell : callable
        Called regularly; an exception that it raises stops the work.
    """
    preparation = _Preparation({}, tell)
    parts = [part and preparation.resized(part) for part in (result.training, result.test)]
    is_known = bool(result.class_names)
    if (not is_known and _are_characters(parts)) or normalise == ALWAYS:
        parts = preparation.normalised(parts, normalise)
    if not is_known:
        parts = preparation.upright(parts)
    training, test = parts
    return replace(result, training=training, test=test, notes=(*result.notes, *preparation.notes))


@dataclass
class _Preparation:
    """Steps of the preparation; sentences about changes are keys of ``notes``."""

    notes: dict[str, None]
    tell: ProgressCallback

    def resized(self, part: RawPart) -> RawPart:
        """Return images of 28 × 28 pixels, with light ink on black."""
        images = part.images
        mask = np.ones(len(images), bool) if part.prepared is None else ~part.prepared
        if mask.any() and _has_light_border(images[mask]):
            images = images.copy()
            images[mask] = 255 - images[mask]
            self.notes["Images with dark ink on light paper were inverted."] = None
        height, width = images.shape[1:]
        if (height, width) == (SIDE, SIDE):
            return replace(part, images=images)
        size = f"{height} × {width}"
        top, left = (height - SIDE) // 2, (width - SIDE) // 2
        inner = images[:, max(top, 0) : top + SIDE, max(left, 0) : left + SIDE]
        if min(top, left) >= 0 and int(images.sum(dtype=np.int64)) == int(inner.sum(dtype=np.int64)):
            self.notes[f"The black border of images of {size} pixels was cut off."] = None
            return replace(part, images=np.ascontiguousarray(inner))
        fitted = np.empty((len(images), SIDE, SIDE), np.uint8)
        for row, image in enumerate(images):
            fitted[row] = fitted_image(image)
            self._report(row)
        self.notes[f"Images of {size} pixels were scaled and centred like MNIST's."] = None
        return replace(part, images=fitted, prepared=np.ones(len(images), bool))

    def normalised(self, parts: list[RawPart | None], normalise: str) -> list[RawPart | None]:
        """Return the parts with images normalised as the window does, if they need it or ``normalise`` is "always"."""
        masks = [
            np.zeros(0, bool) if part is None else np.ones(len(part.images), bool) if part.prepared is None
            else ~part.prepared
            for part in parts
        ]  # fmt: skip
        n = sum(int(mask.sum()) for mask in masks)
        first = next((part.images[mask] for part, mask in zip(parts, masks, strict=True) if part and mask.any()), None)
        if first is None or not (normalise == ALWAYS or not is_normalised(first)):
            return parts
        problem = f"The digits in {n:,} images are not scaled and centred like MNIST's"
        if normalise == NEVER:
            self.notes[f"{problem}; they were used unchanged."] = None
            return parts
        if normalise == AUTO and n > MAX_NORMALISED:
            self.notes[
                f"{problem}; as there are so many, they were used unchanged. "
                'To normalise them, set normalise to "always".'
            ] = None
            return parts
        self.notes[
            f"The digits in {n:,} images were scaled and centred like MNIST's, as for images opened in the window."
            if normalise == ALWAYS
            else f"{problem}, so they were normalised as images opened in the window are. To use them unchanged, set "
            'normalise to "never".'
        ] = None
        return [
            None if part is None else self._normalised_part(part, mask) for part, mask in zip(parts, masks, strict=True)
        ]

    def _normalised_part(self, part: RawPart, mask: NDArray[np.bool_]) -> RawPart:
        images = part.images.copy()
        for n_done, row in enumerate(np.flatnonzero(mask)):
            images[row] = Drawing.from_pixels(images[row]).rasterize()
            self._report(n_done)
        return replace(part, images=images)

    def upright(self, parts: list[RawPart | None]) -> list[RawPart | None]:
        """Return the parts with rows and columns swapped if digits are stored column by column."""
        first = next(part for part in parts if part is not None)
        if not is_transposed(first):
            return parts
        self.notes["Images with rows and columns swapped were transposed."] = None
        return [part and replace(part, images=np.ascontiguousarray(part.images.transpose(0, 2, 1))) for part in parts]

    def _report(self, row: int) -> None:
        self.tell(0 if row % TELL_EVERY else row)


def _are_characters(parts: Sequence[RawPart | None]) -> bool:
    """Return whether all classes are single digits or letters."""
    texts = [part.texts[label] for part in parts if part is not None for label in np.unique(part.labels)]
    return all(len(text) == 1 and text.isalnum() for text in texts)


def fitted_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return light ink on black, of any size, as 28 × 28 pixels; small images are enlarged with a cubic kernel.

    Of 300 images of 8 × 8 pixels (scikit-learn's), the built-in network reads 98 to 99 %; enlarged linearly, 95 %.
    """
    from PIL import Image  # this import takes 15 ms, which would delay the start

    factor = math.ceil(_ENLARGED_SIDE / max(image.shape))
    if factor > 1:
        height, width = image.shape
        size = (factor * width, factor * height)
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    return rasterize_ink(image / 255)


def is_normalised(images: NDArray[np.uint8]) -> bool:
    """Return whether images, shape (n, 28, 28), are scaled and centred like MNIST's, or are not handwriting."""
    images = images[:: max(1, len(images) // _N_INSPECTED)]
    if images.mean() / 255 > _MAX_INK_SHARE:
        return True
    images = images[images.max(axis=(1, 2)) > _MIN_INK]
    if not len(images):
        return True
    ink = images > _MIN_INK
    longest = np.maximum(*(_extents(np.asarray(ink.any(axis=axis))) for axis in (1, 2)))
    weights = images.astype(np.float64)
    total = weights.sum(axis=(1, 2))
    places = np.arange(SIDE)
    off = np.maximum(*(np.abs(weights.sum(axis=axis) @ places / total - CENTRE) for axis in (1, 2)))
    low, high = _BOX_PX
    is_like = (longest >= low) & (longest <= high) & (off <= _CENTRE_PX)
    return bool(is_like.mean() > _NORMALISED_SHARE)


def _extents(lines: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the distance from the first to the last true value of each row, counting both."""
    return lines.shape[1] - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1)


def _has_light_border(images: NDArray[np.uint8]) -> bool:
    images = images[:: max(1, len(images) // _N_INSPECTED)]
    border = np.ones(images.shape[1:], bool)
    border[1:-1, 1:-1] = False
    return bool(np.median(images[:, border]) > _LIGHT_BORDER)


def is_transposed(part: RawPart) -> bool:
    """Return whether digits look more like MNIST's with rows and columns swapped, as MATLAB stores images."""
    texts = np.array([part.texts[label] if part.texts[label] in DIGITS else "" for label in range(len(part.texts))])
    names = texts[part.labels]
    counts = {digit: int((names == digit).sum()) for digit in DIGITS}
    if len(part.labels) < _MIN_FOR_ORIENTATION or min(counts.values()) < 2 or sum(counts.values()) < len(names):
        return False
    templates = _templates()
    upright = transposed = 0.0
    for digit, template in zip(DIGITS, templates, strict=True):
        mean = part.images[names == digit][:_N_INSPECTED].mean(axis=0)
        if not mean.std():
            return False
        upright += np.corrcoef(mean.ravel(), template.ravel())[0, 1] / len(DIGITS)
        transposed += np.corrcoef(mean.T.ravel(), template.ravel())[0, 1] / len(DIGITS)
    return transposed > 0.6 and transposed > upright + 0.1


@functools.cache
def _templates() -> NDArray[np.float64]:
    """Return the mean image of each digit in MNIST, of the first training images."""
    folder: Path = assets.DATA
    images = read_idx(folder / "train-images-idx3-ubyte.gz", 3, _N_TEMPLATES)
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz", 1, _N_TEMPLATES)
    return np.stack([images[labels == digit].mean(axis=0) for digit in range(len(DIGITS))])
