"""What an array's numbers are as pixels: bytes, or parts of 1 in one of several ways; and bytes made of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import DataError

_ROWS_AT_ONCE = 4096
_ROUNDING = 1e-6  # so little beyond 0 or 1 is nobody's meaning
_MANY = 0.01


class Pixels:
    """Makes bytes of a data set's images; the part to train on, which comes first, settles what numbers mean.

    Attributes
    ----------
    notes : dict of str
        What was done, a sentence each, in order and each once; the values mean nothing.
    """

    def __init__(self, path: Path) -> None:
        self.notes: dict[str, None] = {}
        self._path = path
        self._factor: int | None = None

    def as_bytes(self, name: str, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Pixels of 0 to 255, or of 0 to 1, as bytes.

        Raises
        ------
        DataError
            If a number is neither.
        """
        own = _factor(array)
        if self._factor is None:
            self._factor = own or 1
        # A part that is black, or has but few shades, tells less than the one to train on.
        factor = own if own is not None and (own == 1) != (self._factor == 1) else self._factor
        if factor == 1:
            expected = "whole numbers of 0 to 255, or numbers of 0 to 1" + _before(array)
            return whole_numbers(self._path, name, array, expected)
        self.notes[f"Its pixels are numbers of 0 to 1, which were multiplied by {factor}."] = None
        pixels = np.empty(array.shape, np.uint8)
        expected = "numbers of 0 to 1" + _before(array)
        for row, block in _blocks(array):
            good = (block >= -_ROUNDING) & (block <= 1 + _ROUNDING)
            _check(self._path, name, row, block, good, expected)
            np.rint(block * np.float64(factor), out=pixels[row : row + len(block)], casting="unsafe")
        return pixels


def whole_numbers(path: Path, name: str, array: NDArray[Any], expected: str) -> NDArray[np.uint8]:
    """The same numbers as bytes, checked before they are cast, which would wrap 300 to 44 and NaN to 0.

    Raises
    ------
    DataError
        If one is no byte; names its row, and what was expected.
    """
    if array.dtype == np.uint8:
        return array
    whole = np.empty(array.shape, np.uint8)
    for row, block in _blocks(array):
        good = (block >= 0) & (block <= 255)
        if block.dtype.kind == "f":
            good &= block == np.floor(block)
        _check(path, name, row, block, good, expected)
        whole[row : row + len(block)] = block
    return whole


def _factor(array: NDArray[Any]) -> int | None:
    """What to multiply pixels by, as most of those that are not black tell; None where all are."""
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
    # deeplearning.net's MNIST is of 256ths, everybody else's of 255ths.
    with np.errstate(over="ignore", invalid="ignore"):
        exact = all((block < 1).all() and (block * 256 % 1 == 0).all() for _, block in _blocks(array))
    return 256 if exact else 255


def _before(array: NDArray[Any]) -> str:
    """What else is expected of numbers of which many are below 0, as after a mean was taken off."""
    some = array[:_ROWS_AT_ONCE]
    return ", before any mean is subtracted" if np.count_nonzero(some < 0) > _MANY * some.size else ""


def _check(path: Path, name: str, row: int, block: NDArray[Any], good: NDArray[np.bool_], expected: str) -> None:
    """Name the first number that is not good."""
    if not good.all():
        place = np.unravel_index(int(np.argmin(good)), good.shape)
        raise DataError(path, f"row {row + int(place[0])} of {name!r} holds {block[place]}; expected {expected}")


def _blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Some rows at once, with the number of the first."""
    for row in range(0, len(array), _ROWS_AT_ONCE):
        yield row, array[row : row + _ROWS_AT_ONCE]
