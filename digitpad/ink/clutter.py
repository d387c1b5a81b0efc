"""Removal of ink that is not a digit from a picture: strips at an edge, frames, lines, and parts of neighbours.

A line is long, straight and of even thickness. It is removed where no stroke crosses it, so that a digit on it is not
cut. If the rest would look like a part of a digit (the bar of a 7 in a tight crop is a line, too), the line stays.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.ink.components import Mask, bounding_boxes, bounds, grow, label
from digitpad.nn.arrays import Floats

_STRIP_DEPTH = 0.25  # of the picture, at most
_STRIP_COVER = 0.9  # of its edge, at least
_FULL_LENGTH = 0.9  # of the picture, from which a line counts as drawn across it
_THIN = 0.6  # of the strokes' width, up to which a line is thin
_THIN_LENGTH = 0.35  # of the picture; a longer thin line is not a stroke
_WHOLE_HEIGHT = 0.6  # of the highest component, from which a component is a digit and not a part of one
_DIGIT_SIZE = 3.0  # widths of a line, from which the rest may be a digit and not the flag of a 1
_COVER = 0.5  # of a line's length that no stroke covers, at least
_MAX_SLOPE = 0.2
_MAX_LINES = 400  # of each direction; squared paper has about 100


def without_clutter(mask: Mask) -> Mask:
    """Return the mask without ink that is not a digit."""
    if not mask.any():
        return mask
    mask = _without_strips(mask)
    mask = _without_lines(mask)
    return _without_cut_neighbours(_without_frames(mask))


def stroke_width(mask: Mask) -> float:
    """Return the mean width of the strokes in pixels: twice the area divided by the length of the outline."""
    framed = np.pad(mask, 1).astype(np.int8)
    across = framed[1:, 1:] - framed[1:, :-1] + framed[:-1, 1:] - framed[:-1, :-1]
    down = framed[1:, 1:] - framed[:-1, 1:] + framed[1:, :-1] - framed[:-1, :-1]
    return 4 * float(mask.sum()) / max(float(np.hypot(across, down).sum()), 1e-9)


def _without_strips(mask: Mask) -> Mask:
    """Remove strips along an edge of the picture, such as of a table or of the next cell."""
    result = mask.copy()
    for turns in range(4):
        turned = np.rot90(result, turns)  # a view: changing it changes the result
        deep = int(_STRIP_DEPTH * len(turned)) + 1
        part = turned[: deep + 1]
        if part[0].mean() < _STRIP_COVER:
            continue
        depths = np.where(part.all(axis=0), deep + 1, (~part).argmax(axis=0))
        depth = float(np.median(depths))
        even = np.abs(depths - depth) <= 0.1 * depth + 1.5
        if depth > deep or even.mean() < 0.6:
            continue
        strip = np.zeros_like(turned)
        strip[: int(depth * 1.1 + 2)] = np.arange(int(depth * 1.1 + 2))[:, None] < np.minimum(depths, depth * 1.1 + 2)
        rest = turned & ~strip
        opposite = float(
            rest[-1].mean()
        )  # a digit that reaches both edges is not a strip, unless it runs along all edges
        if rest.any() and (opposite == 0 or opposite > _STRIP_COVER):
            turned &= ~strip
    return result


@dataclass(frozen=True)
class _Line:
    """Line y = slope · x + offset, and the pixels of it that no stroke crosses."""

    length: float
    thickness: float
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]


def _without_lines(mask: Mask) -> Mask:
    width = stroke_width(mask)
    found: list[tuple[_Line, bool]] = [(line, False) for line in _lines(mask, width)]
    found += [(line, True) for line in _lines(mask.T, width)]
    if not found:
        return mask
    long = [(line, turned) for line, turned in found if line.length >= _THIN_LENGTH * mask.shape[1 - turned]]
    if not long:
        return mask
    rest = mask.copy()
    for line, turned in long:
        (rest.T if turned else rest)[line.rows, line.columns] = False
    rest = _without_crumbs(rest, mask)
    box = bounds(rest)
    if box is None:
        return mask
    rest_width = stroke_width(rest)
    height, length = mask.shape
    top, bottom, left, right = box
    inside = top > 0.02 * height and bottom < 0.98 * height and left > 0.02 * length and right < 0.98 * length
    sides = [sum(turned == way for _, turned in long) for way in (False, True)]
    result = mask.copy()
    for line, turned in long:
        thin = line.thickness <= _THIN * rest_width
        extent = (bottom - top) if turned else (right - left)
        across = line.length >= _FULL_LENGTH * mask.shape[1 - turned]
        framed = min(sides) >= 1 and sum(sides) >= 3
        longer = line.length > 1.15 * extent
        whole = max(bottom - top, right - left) >= _DIGIT_SIZE * line.thickness
        if (thin and (longer or across)) or (inside and whole and longer and (across or framed)):
            (result.T if turned else result)[line.rows, line.columns] = False
    return _without_crumbs(result, mask)


def _without_crumbs(rest: Mask, mask: Mask) -> Mask:
    """Remove the small pieces that removed lines leave, such as their crossings with other lines."""
    removed = mask & ~rest
    if not removed.any():
        return rest
    parts = label(rest)
    boxes = bounding_boxes(parts)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    touching = np.zeros(len(boxes) + 1, bool)
    touching[parts[grow(removed, 1) & rest]] = True
    small = np.concatenate([[False], sizes <= 0.25 * sizes.max(initial=0)])
    return rest & ~(small & touching)[parts]


def _vertical_runs(mask: Mask) -> NDArray[np.int32]:
    """Return the length of the vertical run of ink that each pixel belongs to, 0 outside."""
    height = len(mask)
    rows = np.arange(1, height + 1, dtype=np.int32)[:, None]
    last_gap = np.maximum.accumulate(np.where(mask, 0, rows), axis=0)
    next_gap = np.minimum.accumulate(np.where(mask, height + 1, rows)[::-1], axis=0)[::-1]
    return np.where(mask, next_gap - last_gap - 1, 0)


def _lines(mask: Mask, width: float) -> list[_Line]:
    """Return the nearly horizontal lines of a mask, from the pixels with a short vertical run."""
    runs = _vertical_runs(mask)
    thin = (runs > 0) & (runs <= max(3.0, 1.3 * width))
    parts = label(thin)
    boxes = bounding_boxes(parts)
    if not len(boxes):
        return []
    lengths = (boxes[:, 2] - boxes[:, 0]).astype(float)
    ys, xs = np.nonzero(parts)
    numbers = parts[ys, xs] - 1
    areas = np.bincount(numbers, minlength=len(boxes))
    thickness = areas / lengths
    sums = [np.bincount(numbers, weights, minlength=len(boxes)) for weights in (xs, ys, xs * xs, xs * ys, ys * ys)]
    mean_x, mean_y, xx, xy, yy = (total / areas for total in sums)
    spread = np.maximum(xx - mean_x**2, 1e-9)
    slope = (xy - mean_x * mean_y) / spread
    error = np.sqrt(np.maximum(yy - mean_y**2 - slope**2 * spread, 0))
    seeds = (lengths >= np.maximum(8, 4 * thickness)) & (np.abs(slope) <= _MAX_SLOPE) & (error <= 0.5 * thickness + 0.5)
    left_over = seeds.copy()
    lines: list[_Line] = []
    for seed in np.argsort(-lengths):
        if not left_over[seed] or len(lines) == _MAX_LINES:
            continue
        members = np.zeros(len(boxes), bool)
        members[seed] = True
        for _ in range(3):
            rate, offset = _fit(mean_x[members], mean_y[members], slope[members], lengths[members])
            reach = thickness[seed] + 1
            near = seeds & (np.abs(mean_y - rate * mean_x - offset) <= reach) & (thickness <= 2 * thickness[seed] + 1)
            if np.array_equal(near, members) or not near[seed]:
                break
            members = near
        members[seed] = True
        left_over &= ~members
        length = float(lengths[members].sum())
        if length < _THIN_LENGTH * mask.shape[1] * 0.7:
            continue
        typical = float(np.average(thickness[members], weights=lengths[members]))
        on_line = thin[ys, xs] & (np.abs(ys - rate * xs - offset) <= typical / 2 + 1.5 + 0.004 * mask.shape[1])
        on_line &= runs[ys, xs] <= 1.5 * typical + 1
        rows, columns = ys[on_line], xs[on_line]
        if not len(columns):
            continue
        covered, span = float(len(np.unique(columns))), float(np.ptp(columns)) + 1
        lines.append(_Line(span if covered >= _COVER * span else covered, typical, rows, columns))
    return lines


def _fit(x: Floats, y: Floats, slope: Floats, lengths: Floats) -> tuple[float, float]:
    """Return the slope and the offset of the line through pieces of it, given by their middles, slopes and lengths."""
    weights = lengths / lengths.sum()
    middle_x, middle_y = float(weights @ x), float(weights @ y)
    off_x, off_y = x - middle_x, y - middle_y
    own = lengths**2 / 12  # variance of x inside a piece
    rate = float(weights @ (off_x * off_y + slope * own)) / max(float(weights @ (off_x**2 + own)), 1e-9)
    return rate, middle_y - rate * middle_x


def _without_cut_neighbours(mask: Mask) -> Mask:
    """Remove components cut by the left or right edge, such as parts of neighbours, if there is a whole digit."""
    parts = label(mask)
    boxes = bounding_boxes(parts)
    length = mask.shape[1]
    cut = (boxes[:, 0] == 0) | (boxes[:, 2] == length)
    heights = boxes[:, 3] - boxes[:, 1]
    sized = heights >= _WHOLE_HEIGHT * heights.max(initial=0)
    if not cut.any() or not (sized & ~cut).any():
        return mask
    edge = 0.02 * len(mask)
    if boxes[sized, 1].min() <= edge and boxes[sized, 3].max() >= len(mask) - edge:  # a tight crop of a number
        return mask
    # Pieces of a cut digit that do not reach the edge lie beside the rest of it, not above or below a whole one.
    left = max(boxes[cut & (boxes[:, 0] == 0), 2], default=0)
    right = min(boxes[cut & (boxes[:, 2] == length), 0], default=length)
    whole = sized & ~cut
    inner_left, inner_right = boxes[whole, 0].min(), boxes[whole, 2].max()
    beside = ((boxes[:, 2] <= left) & (boxes[:, 2] <= inner_left)) | (
        (boxes[:, 0] >= right) & (boxes[:, 0] >= inner_right)
    )
    return mask & ~np.concatenate([[False], cut | (beside & ~whole)])[parts]


def _without_frames(mask: Mask) -> Mask:
    """Remove components that surround all others without touching them."""
    parts = label(mask)
    boxes = bounding_boxes(parts)
    if len(boxes) < 2:
        return mask
    sizes = boxes[:, 2:] - boxes[:, :2]
    largest = int(sizes.sum(axis=1).argmax())
    left, top, right, bottom = boxes[largest]
    others = np.delete(np.arange(len(boxes)), largest)
    sized = others[sizes[others].max(axis=1) >= 0.15 * sizes[largest].max()]
    if not len(sized) or (sizes[largest] < 0.6 * np.array(mask.shape[::-1])).any():
        return mask
    inner = mask[top + (bottom - top) // 5 : bottom - (bottom - top) // 5, left:right]
    own = parts[top + (bottom - top) // 5 : bottom - (bottom - top) // 5, left:right] == largest + 1
    margin = (right - left) // 5
    if own[:, margin:-margin].any() or not inner[:, margin:-margin].any():
        return mask
    return mask & (parts != largest + 1)
