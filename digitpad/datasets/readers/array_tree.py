"""Reader of MATLAB's MAT files (version 5), such as EMNIST's and USPS's: trees of named arrays."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.array_roles import image_layouts
from digitpad.datasets.conversion.named_arrays import found_in, has_pair
from digitpad.datasets.digits import ReaderResult
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to
from digitpad.errors import DataError, reason
from digitpad.formats.mat import DamagedMatError, named_values
from digitpad.formats.progress import ProgressCallback, ignore_progress

_MAX_DEPTH = 6
_MAX_ARRAYS = 1000
_CLASS_ARRAY = re.compile(r"(?P<part>train|test|)(?:ing)?_?(?:digit)?_?(?P<digit>\d)")


def has_mat_data(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a MAT file has arrays of images and labels, and none named as weights.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    arrays = _read_mat(path, tell)
    return has_pair({name: array.shape for name, array in arrays.items()}, arrays.__getitem__)


def read_mat_set(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a MAT file.

    The images and labels may be variables, or fields of structures, as in EMNIST's files. There may also be an array
    per class, such as ``train0`` to ``train9``.

    Raises
    ------
    DataError
        If the file cannot be read, or has no images and labels.
    """
    arrays = _read_mat(path, tell)
    return found_in(path, {name: array.shape for name, array in arrays.items()}, arrays.__getitem__, "MATLAB file")


def _read_mat(path: Path, tell: ProgressCallback) -> dict[str, NDArray[Any]]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(path, f"is too large; the limit is {MAX_BYTES // 2**20} MB")
        arrays: dict[str, NDArray[Any]] = {}
        for name, value in named_values(path.read_bytes(), may_unpack_to(size), []):
            for inner_name, array in _arrays(name, value, 0):
                if len(arrays) < _MAX_ARRAYS:
                    arrays.setdefault(inner_name, array)
            tell(0)
    except DamagedMatError as error:
        raise DataError(path, f"is a damaged MATLAB file: {error}") from error
    except (OSError, ValueError, OverflowError, LookupError, MemoryError, ArithmeticError, zlib.error) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    return _joined_classes(arrays)


def _arrays(name: str, value: Any, depth: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the numeric arrays in a value, with the names of structures before a dot."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        yield name, value
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        for key, inner in value.items():
            yield from _arrays(f"{name}.{key}", inner, depth + 1)


def _joined_classes(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Join arrays of one class each, such as ``train0``, to images and labels of each part; keep others as they are."""
    parts: dict[str, dict[int, NDArray[Any]]] = {}
    for name, array in arrays.items():
        match = _CLASS_ARRAY.fullmatch(name.lower())
        if match is not None and array.ndim == 2 and len(array) in image_layouts(array.shape):
            parts.setdefault(match["part"] or "train", {})[int(match["digit"])] = array
    result = dict(arrays)
    for part, by_digit in parts.items():
        if len(by_digit) > 1 and len({array.shape[1:] for array in by_digit.values()}) == 1:
            digits = sorted(by_digit)
            result = {
                name: array for name, array in result.items() if not any(array is one for one in by_digit.values())
            }
            result[f"{part}_images"] = np.concatenate([by_digit[digit] for digit in digits])
            result[f"{part}_labels"] = np.repeat(digits, [len(by_digit[digit]) for digit in digits])
    return result
