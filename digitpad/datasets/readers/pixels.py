"""Conversion of pixel arrays to bytes, from whole numbers up to 255 or fractions up to 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import DataError

_BLOCK_ROWS = 4096
_ROUNDING = 1e-6  # tolerance for rounding errors below 0 or above 1
_MEAN_SUBTRACTED_SHARE = 0.01


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
        self._factor: int | None = None

    def as_bytes(self, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Convert pixels from 0 to 255, or from 0 to 1, to bytes.

        Raises
        ------
        DataError
            If a value is outside the range.
        """
        array_factor = _factor(array)
        if self._factor is None:
            self._factor = array_factor or 1
        # The factor of the training set is more reliable if this part is black or has only a few grey levels.
        factor = (
            array_factor if array_factor is not None and (array_factor == 1) != (self._factor == 1) else self._factor
        )
        if factor == 1:
            expected = "whole numbers from 0 to 255, or numbers from 0 to 1" + _hint(array)
            return whole_numbers(self._path, name, array, expected)
        self.notes[f"Pixels from 0 to 1 were multiplied by {factor}."] = None
        pixels = np.empty(array.shape, np.uint8)
        expected = "numbers from 0 to 1" + _hint(array)
        for row, block in _blocks(array):
            is_valid = (block >= -_ROUNDING) & (block <= 1 + _ROUNDING)
            _check(self._path, name, row, block, is_valid, expected)
            np.rint(block * np.float64(factor), out=pixels[row : row + len(block)], casting="unsafe")
        return pixels


def whole_numbers(path: Path, name: str, array: NDArray[Any], expected: str) -> NDArray[np.uint8]:
    """Return whole numbers as bytes. They are checked first, as a cast would turn 300 into 44 and NaN into 0.

    Raises
    ------
    DataError
        If a value is not a whole number from 0 to 255; the message contains its row and ``expected``.
    """
    if array.dtype == np.uint8:
        return array
    whole = np.empty(array.shape, np.uint8)
    for row, block in _blocks(array):
        is_valid = (block >= 0) & (block <= 255)
        if block.dtype.kind == "f":
            is_valid &= block == np.floor(block)
        _check(path, name, row, block, is_valid, expected)
        whole[row : row + len(block)] = block
    return whole


def _factor(array: NDArray[Any]) -> int | None:
    """Return the factor that scales pixels to 255, judged by most pixels that are not black; None if all are black."""
    if array.dtype.kind in "iu":
        brightest = array.max(initial=0)
        return None if brightest <= 0 else 255 if brightest == 1 else 1
    n_light = n_small = 0
    for _, block in _blocks(array):
        light = block > 0
        n_light += int(np.count_nonzero(light))
        n_small += int(np.count_nonzero(light & (block <= 1 + _ROUNDING)))
    if not n_light:
        return None
    if 2 * n_small < n_light:
        return 1
    # deeplearning.net divided MNIST by 256; all others divide by 255.
    with np.errstate(over="ignore", invalid="ignore"):
        exact = all((block < 1).all() and (block * 256 % 1 == 0).all() for _, block in _blocks(array))
    return 256 if exact else 255


def _hint(array: NDArray[Any]) -> str:
    """Return an addition to the expected range if many values are negative, as after subtracting the mean."""
    rows = array[:_BLOCK_ROWS]
    return ", before any mean is subtracted" if np.count_nonzero(rows < 0) > _MEAN_SUBTRACTED_SHARE * rows.size else ""


def _check(path: Path, name: str, row: int, block: NDArray[Any], is_valid: NDArray[np.bool_], expected: str) -> None:
    """Check that all values of a block are valid.

    Raises
    ------
    DataError
        If a value is invalid; the message contains the first such value and its row.
    """
    if not is_valid.all():
        index = np.unravel_index(int(np.argmin(is_valid)), is_valid.shape)
        raise DataError(path, f"row {row + int(index[0])} of {name!r} contains {block[index]}; expected {expected}")


def _blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield blocks of rows, each with the index of its first row."""
    for row in range(0, len(array), _BLOCK_ROWS):
        yield row, array[row : row + _BLOCK_ROWS]
