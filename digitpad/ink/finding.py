"""Ink of a picture: which pixels are digits, in a picture of any size, polarity and background.

The background is estimated around each place. Its window is the smallest one that still contains whole strokes. Ink is
what differs from the background by more than the picture's noise and is like a stroke. A page with small digits is
searched at a reduced size, and then cropped from the full picture.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.clutter import stroke_width, without_clutter
from digitpad.ink.components import Mask, bounding_boxes, bounds, grow, label
from digitpad.ink.ground import Levels, box_blur, closing, noise_level
from digitpad.ink.image import WORK_SIDE
from digitpad.nn.arrays import Floats

SEARCH_SIDE = 640
"""Longest side in pixels of the picture in which ink is searched."""

_SMALL_SIDE = 64  # smaller pictures are enlarged smoothly
_WINDOWS = (1 / 12, 1 / 6, 1 / 3, 4.0)  # sides of the background's window, as shares of the longest side
_MIN_CONTRAST = 0.015  # between ink and background, as a share of the background; fainter marks are noise
_NOISE = 5.0  # standard deviations of the noise that ink must differ by
_CORE = 0.45  # share of a component's full contrast from which a pixel is ink
_SOFT = 0.3  # the same for pixels that are connected with one of those
_FAINT = 0.35  # share of the strongest component's contrast from which others count


@dataclass(frozen=True, eq=False)
class FoundInk:
    """Ink of a picture.

    Attributes
    ----------
    ink : ndarray of float, two-dimensional
        Amount of ink at each pixel, 0..1.
    x, y : float
        Top left corner of the ink in the picture, in pixels of the picture.
    scale : float
        Pixels of the picture per pixel of the ink.
    """

    ink: Floats
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class _Candidate:
    """Ink for one polarity and one window."""

    ground: Floats  # level of the background, in grey levels; those of the negative if the ink is light
    contrast: Floats  # difference from the background, as a share of it
    difference: Floats  # in grey levels
    mask: Mask
    score: float


def find_ink(pixels: NDArray[np.uint8], side: int = WORK_SIDE) -> Floats:
    """Return the amount of ink at each pixel, 0..1, with sides of at most ``side``; a page is cropped to its ink."""
    return locate_ink(pixels, side).ink


def locate_ink(pixels: NDArray[np.uint8], side: int = WORK_SIDE) -> FoundInk:
    """Find the ink of a picture, and return it with sides of at most ``side`` pixels, with its place in the picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 4)
        Grey levels or RGBA; dark ink on a light background, or light ink on a dark one.
    """
    levels = flatten_alpha(pixels)
    enlarged = 1
    if max(levels.shape) < _SMALL_SIDE:
        enlarged = -(-_SMALL_SIDE // max(levels.shape))
        levels = _resized(levels, (levels.shape[0] * enlarged, levels.shape[1] * enlarged), smooth=True)
    search = _reduced(levels, SEARCH_SIDE)
    scale = max(levels.shape) / max(search.shape)
    found = _search(search)
    if found is None:
        return FoundInk(np.zeros(_reduced_shape(levels.shape, side)), scale=scale / enlarged)
    dark, window, candidate = found
    box = bounds(_without_dust(candidate.mask))
    assert box is not None
    extent = max(box[1] - box[0], box[3] - box[2])
    if scale == 1 or extent > _CROP_SHARE * max(search.shape):
        ink = _amounts(levels if dark else ~levels, candidate, side)
        return FoundInk(ink, 0.0, 0.0, max(levels.shape) / max(ink.shape) / enlarged)
    return _from_crop(levels, box, scale, (dark, window, candidate.mask), side)


_CROP_SHARE = 0.5  # of the picture; larger ink is not cropped
_DUST_SHARE = 0.2  # of the largest component; smaller ones do not decide where to crop


def _from_crop(
    levels: Levels, box: tuple[int, int, int, int], scale: float, search: tuple[bool, float, Mask], side: int
) -> FoundInk:
    """Return the ink inside a box of the searched picture, from the full picture."""
    dark, window, found = search
    height, width = found.shape
    margin = int(0.25 * max(box[1] - box[0], box[3] - box[2]) + 0.5 * min(window, 0.2 * max(found.shape)) + 4)
    top, left = max(0, box[0] - margin), max(0, box[2] - margin)
    bottom, right = min(height, box[1] + margin), min(width, box[3] + margin)
    rows, columns = (int(top * scale), int(bottom * scale)), (int(left * scale), int(right * scale))
    full = levels[rows[0] : rows[1], columns[0] : columns[1]]
    crop = _reduced(full, max(side, SEARCH_SIDE))
    crop_scale = (rows[1] - rows[0]) / crop.shape[0]
    candidate = _candidate(crop, dark, window * scale / crop_scale)
    near = _resized(grow(found[top:bottom, left:right], 1).astype(np.uint8) * 255, crop.shape) > 127
    mask = _reaching(near & candidate.mask, candidate.mask)
    ink = _amounts(full if dark else ~full, replace(candidate, mask=mask), side)
    return FoundInk(ink, float(columns[0]), float(rows[0]), full.shape[0] / ink.shape[0])


def _search(levels: Levels) -> tuple[bool, float, _Candidate] | None:
    """Return the polarity (whether the ink is dark), the window's side and the ink of a picture, or None."""
    found = []
    for dark in (True, False):
        result = _stable(levels, dark)
        if result is not None:
            score = _polarity_score(levels if dark else ~levels, result[1])
            found.append((score / result[0] ** _SMALL_WINDOW, (dark, *result)))
    return max(found, key=lambda each: each[0], default=(0.0, None))[1]


def _polarity_score(levels: Levels, candidate: _Candidate) -> float:
    """Return how plausible it is that dark ink is ink: its difference from the background, and its share of its box.

    The places that strokes enclose differ from the strokes, too, but they are not slender, and their level is that of
    most of the box.
    """
    box = bounds(candidate.mask)
    assert box is not None
    margin = max(box[1] - box[0], box[3] - box[2]) // 4
    part = levels[max(0, box[0] - margin) : box[1] + margin, max(0, box[2] - margin) : box[3] + margin]
    ink = float(np.median(levels[candidate.mask]))
    difference = float(candidate.difference[candidate.mask].mean())
    share = float((part < ink + difference / 2).mean())
    boxes = bounding_boxes(label(candidate.mask))
    size = float((boxes[:, 2:] - boxes[:, :2]).max())
    slender = float(np.clip(1.1 - 2 * stroke_width(candidate.mask) / size, 0.02, 1)) ** 2
    mask = candidate.mask
    at_edge = float(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean())
    return difference * float(np.sqrt(mask.sum())) * (1.02 - share) ** 2 * slender * (1.02 - at_edge) ** 2


def _stable(levels: Levels, dark: bool) -> tuple[float, _Candidate] | None:
    """Return the smallest window that contains whole strokes, and the ink that it finds."""
    before: tuple[float, _Candidate] | None = None
    for share in _WINDOWS:
        window = share * max(levels.shape)
        candidate = _candidate(levels, dark, window)
        if before is not None:
            box = bounds(before[1].mask)
            assert box is not None
            part = np.s_[box[0] : box[1], box[2] : box[3]]
            now = float(candidate.contrast[part][candidate.mask[part]].sum())
            if now <= _GROWTH * before[1].score:
                return before
        if candidate.mask.any() and _has_edges(candidate, window):
            before = window, candidate
    return before


def _has_edges(candidate: _Candidate, window: float) -> bool:
    """Return whether the ink ends within a small part of the window; a soft shadow does not, nor do specks of noise.

    The contrast is averaged over squares that noise hardly changes.
    """
    boxes = bounding_boxes(label(candidate.mask))
    if (boxes[:, 2:] - boxes[:, :2]).max() < _SMALLEST:
        return False
    side = max(candidate.mask.shape)
    shape = _reduced_shape(candidate.mask.shape, round(side / max(1.0, min(window, side) / _EDGE_STEPS)))
    contrast = _mean_resized(candidate.contrast, shape)
    near = grow(_mean_resized(candidate.mask.astype(np.float32), shape) > 0, 1)
    steps = [np.abs(np.diff(contrast, axis=axis)).max(initial=0, where=near[tuple(part)]) for axis, part in _INNER]
    return max(map(float, steps)) >= (_EDGE if side >= 2 * _SMALL_SIDE else _SOFT_EDGE) * float(contrast[near].max())


_INNER = ((0, (slice(1, None), slice(None))), (1, (slice(None), slice(1, None))))
_SMALLEST = 4  # pixels; smaller marks are noise
_EDGE_STEPS = 8  # squares per side of the window in which an edge is measured
_EDGE = 0.6  # share of the contrast by which neighbouring squares differ at an edge
_SOFT_EDGE = 0.4  # the same in small pictures, which enlargement makes soft
_SMALL_WINDOW = 0.25  # exponent: of two polarities, that which a smaller window finds is more plausible
_GROWTH = 1.25  # of the ink with the next window, up to which the window contained whole strokes


def _candidate(levels: Levels, dark: bool, window: float) -> _Candidate:
    """Return the places that are darker, or lighter, than the background, without clutter."""
    smooth = np.asarray(levels if dark else ~levels, np.float32)
    noise = noise_level(smooth)
    if noise > 1.5 and min(levels.shape) >= 128:
        smooth = box_blur(smooth)
        noise = max(noise / 3, noise_level(smooth))
    ground = np.asarray(closing(np.rint(smooth).astype(np.uint8), max(3, int(window))), np.float32)
    difference = ground - smooth
    bias = np.float32(np.median(difference[:: max(1, len(difference) // 200)]))
    ground, difference = ground - bias, difference - bias
    reference = np.maximum(ground, _DARKEST)
    contrast = np.clip(difference / reference, 0, 1)
    floor = _MIN_CONTRAST + _NOISE * noise / reference
    parts = label(contrast > floor)
    n_parts = int(parts.max(initial=0))
    if not n_parts:
        return _Candidate(ground, contrast, difference, np.zeros(levels.shape, bool), 0.0)
    inside = parts > 0
    numbers, values = parts[inside] - 1, contrast[inside]
    full = np.bincount(numbers, values * values, n_parts) / np.bincount(numbers, values, n_parts)
    boxes = bounding_boxes(parts)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    sized = sizes >= max(3.0, 0.2 * sizes.max())
    strong = full >= _FAINT * full[sized].max(initial=0)
    full_here = np.concatenate([[np.inf], np.where(strong, full, np.inf)])[parts]
    core = (contrast > floor) & (contrast > _CORE * full_here)
    # In the core, a ruled line that is just as faint would be a row of dashes, which are not removed as a line.
    whole = _reaching(core, (contrast > floor) & (contrast > _SOFT * full_here))
    mask = without_clutter(whole) & core
    return _Candidate(ground, contrast, difference, mask, float(contrast[mask].sum()))


def _reaching(core: Mask, mask: Mask) -> Mask:
    """Return the components of a mask that contain a pixel of the core."""
    parts = label(mask)
    kept = np.zeros(int(parts.max(initial=0)) + 1, bool)
    kept[parts[core]] = True
    kept[0] = False
    return kept[parts]


def _without_dust(mask: Mask) -> Mask:
    parts = label(mask)
    boxes = bounding_boxes(parts)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    return np.concatenate([[False], sizes >= _DUST_SHARE * sizes.max()])[parts]


def _amounts(levels: Levels, candidate: _Candidate, side: int) -> Floats:
    """Return the amount of ink at each pixel, 0..1: its contrast as a share of that of its component.

    The contrast is that of the picture averaged down to sides of at most ``side`` in one step, so that the amounts do
    not depend on the size of the picture.

    Parameters
    ----------
    levels : ndarray of uint8
        Picture with dark ink, as large as that of the candidate or larger.
    """
    reduced = _reduced(levels, min(side, max(candidate.mask.shape)))
    covered = _mean_resized(candidate.mask.astype(np.float32), reduced.shape)
    mask = covered >= min(_COVERED, 0.999 * float(covered.max()))
    ground = _mean_resized(candidate.ground, reduced.shape)
    smooth = np.asarray(reduced, np.float32)
    if noise_level(smooth) > _GRAIN * float(np.median((ground - smooth)[mask])) and min(smooth.shape) >= 128:
        smooth = box_blur(smooth)
    contrasts = np.clip((ground - smooth) / np.maximum(ground, _DARKEST), 0, 1)
    parts = label(mask)
    ink = np.zeros(parts.shape)
    for number, (left, top, right, bottom) in enumerate(bounding_boxes(parts), 1):
        part = np.s_[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2]
        own = parts[part] == number
        contrast = contrasts[part]
        full = float(np.percentile(contrast[own], 75))
        edge = grow(own, 2) & ~mask[part]  # the soft edge of the strokes
        amounts = np.where(own | edge, np.clip(contrast / max(full, 1e-6), 0, 1), 0)
        ink[part] = np.maximum(ink[part], amounts)
    return ink


_COVERED = 0.3  # share of a pixel of the reduced picture that ink covers, from which the pixel is ink
_GRAIN = 1 / 30  # of the ink's difference from the background; stronger noise is smoothed
_DARKEST = 40  # grey level; a darker background counts as this one


def flatten_alpha(pixels: NDArray[np.uint8]) -> Levels:
    """Return grey levels; transparent pixels become white behind dark ink, and black behind light ink."""
    if pixels.ndim == 2:
        return pixels
    from PIL import Image

    levels = np.asarray(Image.fromarray(np.ascontiguousarray(pixels[..., :3])).convert("L"))
    alpha = pixels[..., 3]
    if alpha.min() == 255:
        return levels
    amount = alpha / np.float32(255)
    ink_is_light = float((levels * amount).sum()) > 0.5 * 255 * float(amount.sum())
    return np.rint(levels * amount + (0 if ink_is_light else 255) * (1 - amount)).astype(np.uint8)


def _reduced_shape(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    ratio = min(1.0, side / max(shape))
    return max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))


def _reduced(levels: Levels, side: int) -> Levels:
    """Average a picture down to sides of at most ``side``; a smaller picture stays as it is."""
    shape = _reduced_shape(levels.shape, side)
    return levels if shape == levels.shape else _resized(levels, shape)


def _resized(levels: Levels, shape: tuple[int, ...], smooth: bool = False) -> Levels:
    from PIL import Image

    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.BOX
    return np.asarray(Image.fromarray(levels).resize((shape[1], shape[0]), method))


def _mean_resized(values: Floats, shape: tuple[int, ...]) -> Floats:
    from PIL import Image

    if shape == values.shape:
        return values
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BOX))
