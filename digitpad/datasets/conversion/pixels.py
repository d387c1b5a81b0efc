"""Conversion of pixel values to bytes, from any of the usual scales."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import DataError

_BLOCK_ROWS = 4096
_ROUNDING = 1e-6  # tolerance for rounding errors beyond the ends of a scale
_OVERSHOOT = 0.25  # bicubic resampling leaves values this far below 0 and above 1
_MEAN_SUBTRACTED_SHARE = 0.01
_BACKGROUND_SHARE = 0.1  # at least this share of the pixels of handwriting is background
_MNIST_MEAN, _MNIST_STD = 0.1307, 0.3081


@dataclass(frozen=True)
class Scale:
    """Linear scale of pixel values: a byte is ``(value + offset) * factor``.

    Attributes
    ----------
    offset, factor : float
    low, high : float
        Valid range of values; valid values that give less than 0 or more than 255 are clipped.
    whole : bool
        Whether only whole numbers are valid.
    expected : str
        Description of valid values, for an error.
    note : str
        Sentence about the conversion; empty if the values are unchanged.
    """

    offset: float
    factor: float
    low: float
    high: float
    whole: bool
    expected: str
    note: str = ""

    def valid(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which values are valid; NaN is not."""
        is_valid = (values >= self.low) & (values <= self.high)
        if self.whole and values.dtype.kind == "f":
            is_valid &= values == np.floor(values)
        return is_valid

    def to_bytes(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Return valid values as bytes."""
        if not self.note:
            return values.astype(np.uint8)
        levels = (values.astype(np.float64) + self.offset) * self.factor
        return np.rint(levels.clip(0, 255)).astype(np.uint8)


BYTES = Scale(0, 1, 0, 255, True, "whole numbers from 0 to 255, or numbers from 0 to 1")


def _unit(factor: int) -> Scale:
    note = f"Pixels from 0 to 1 were multiplied by {factor}."
    return Scale(0, factor, -_OVERSHOOT, 1 + _OVERSHOOT, False, "numbers from 0 to 1", note)


def _levels(highest: int) -> Scale:
    note = f"Pixels from 0 to {highest} were multiplied by 255/{highest}."
    return Scale(0, 255 / highest, 0, highest, True, f"whole numbers from 0 to {highest}", note)


_SIGNED = Scale(1, 127.5, -1 - _OVERSHOOT, 1 + _OVERSHOOT, False, "numbers from -1 to 1",
    "Pixels from -1 to 1 were scaled to 0 to 255.")  # fmt: skip
_STANDARDISED = Scale(_MNIST_MEAN / _MNIST_STD, 255 * _MNIST_STD, -0.45, 2.85, False, "numbers from -0.4242 to 2.8215",
    f"Pixels were standardised with MNIST's mean ({_MNIST_MEAN}) and standard deviation ({_MNIST_STD}); "
    "this was undone.")  # fmt: skip


class Pixels:
    """Converter of a dataset's images to bytes. The training set, which comes first, determines the scale.

    Attributes
    ----------
    notes : dict of str
        Changes made, one sentence each, as keys of an ordered set; the values are unused.
    """

    def __init__(self, path: Path) -> None:
        self.notes: dict[str, None] = {}
        self._path = path
        self._scale: Scale | None = None

    def scale_of(self, array: NDArray[Any]) -> Scale:
        """Return the scale of these pixels, shape (n, …), and record its note."""
        found = scale_of(array)
        if self._scale is None:
            self._scale = found or BYTES
        # The scale of the training set is more reliable if this part is black or has only a few grey levels.
        scale = found if found is not None and (found is BYTES) != (self._scale is BYTES) else self._scale
        if scale.note:
            self.notes[scale.note] = None
        return scale

    def as_bytes(self, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Convert pixels to bytes.

        Raises
        ------
        DataError
            If a value is outside the range.
        """
        scale = self.scale_of(array)
        if scale is BYTES and array.dtype == np.uint8:
            return array
        return _converted(self._path, name, array, scale, scale.expected + _hint(array))


def scale_of(array: NDArray[Any]) -> Scale | None:
    """Return the scale of pixels, judged by most of them, as a few may be damaged; None if all are black."""
    if array.dtype.kind == "b":
        return _unit(255)
    if array.dtype.kind in "iu":
        brightest = int(array.max(initial=0))
        return None if brightest <= 0 else _of_brightest(brightest, array)
    n = n_light = n_small = n_negative = n_dark = n_standard = 0
    for _, block in _blocks(array):
        light = block > 0
        n += block.size
        n_light += int(np.count_nonzero(light))
        n_small += int(np.count_nonzero(light & (block <= 1 + _ROUNDING)))
        n_negative += int(np.count_nonzero(block < 0))
        n_dark += int(np.count_nonzero((block <= -0.9) & (block >= -1 - _ROUNDING)))
        n_standard += int(np.count_nonzero(np.abs(block + _MNIST_MEAN / _MNIST_STD) < 1e-3))
    if n_dark > _BACKGROUND_SHARE * n and 2 * n_small >= n_light:
        return _SIGNED
    if n_standard > _BACKGROUND_SHARE * n and n_standard + n_light > 0.9 * n:
        return _STANDARDISED
    if not n_light:
        return None
    if 2 * n_small < n_light:
        return _of_brightest(_whole_maximum(array), array)
    # deeplearning.net divided MNIST by 256; all others divide by 255.
    with np.errstate(over="ignore", invalid="ignore"):
        exact = all((block < 1).all() and (block * 256 % 1 == 0).all() for _, block in _blocks(array))
    return _unit(256 if exact else 255)


def _of_brightest(brightest: int, array: NDArray[Any]) -> Scale:
    """Return the scale of whole numbers; images of 8 × 8 pixels have 17 grey levels, as scikit-learn's and UCI's."""
    if brightest == 1:
        return _unit(255)
    n_pixels = int(np.prod(array.shape[1:]))
    return _levels(brightest) if brightest in (15, 16) and n_pixels <= 256 else BYTES


def _whole_maximum(array: NDArray[Any]) -> int:
    highest = float(np.nan_to_num(array[:_BLOCK_ROWS], nan=0, posinf=0, neginf=0).max(initial=0))
    return int(highest) if highest == int(highest) else 255


def whole_numbers(path: Path, name: str, array: NDArray[Any], expected: str) -> NDArray[np.uint8]:
    """Return whole numbers as bytes. They are checked first, as a cast would turn 300 into 44 and NaN into 0.

    Raises
    ------
    DataError
        If a value is not a whole number from 0 to 255; the message contains its row and ``expected``.
    """
    return array if array.dtype == np.uint8 else _converted(path, name, array, BYTES, expected)


def _converted(path: Path, name: str, array: NDArray[Any], scale: Scale, expected: str) -> NDArray[np.uint8]:
    result = np.empty(array.shape, np.uint8)
    for row, block in _blocks(array):
        is_valid = scale.valid(block)
        if not is_valid.all():
            index = np.unravel_index(int(np.argmin(is_valid)), is_valid.shape)
            raise DataError(path, f"row {row + int(index[0])} of {name!r} contains {block[index]}; expected {expected}")
        result[row : row + len(block)] = scale.to_bytes(block)
    return result


def _hint(array: NDArray[Any]) -> str:
    """Return an addition to the expected range if many values are negative, as after subtracting the mean."""
    rows = array[:_BLOCK_ROWS]
    return ", before any mean is subtracted" if np.count_nonzero(rows < 0) > _MEAN_SUBTRACTED_SHARE * rows.size else ""


def _blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield blocks of rows, each with the index of its first row."""
    for row in range(0, len(array), _BLOCK_ROWS):
        yield row, array[row : row + _BLOCK_ROWS]
