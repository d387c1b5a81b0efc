"""Reader of MATLAB's MAT files and of HDF5 files, such as EMNIST's and USPS's: trees of named arrays."""

import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.array_roles import image_layouts
from digitpad.datasets.conversion.named_arrays import found_in, has_pair
from digitpad.datasets.digits import ReaderResult
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to
from digitpad.errors import DataError, reason
from digitpad.formats.hdf5 import Hdf5File, Hdf5Group, find_hdf5
from digitpad.formats.hdf5_messages import Hdf5Error
from digitpad.formats.mat import DamagedMatError, named_values
from digitpad.formats.progress import ProgressCallback, ignore_progress

_MAX_DEPTH = 6
_MAX_ARRAYS = 1000
_CLASS_ARRAY = re.compile(r"(?P<part>train|test|)(?:ing)?_?(?:digit)?_?(?P<digit>\d)")


def has_tree_data(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a MAT or HDF5 file has arrays of images and labels, and none named as weights.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    arrays, _, _ = _read(path, tell)
    return has_pair({name: array.shape for name, array in arrays.items()}, arrays.__getitem__)


def read_tree(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a MAT or HDF5 file.

    The images and labels may be variables, or fields of structures or groups, as in EMNIST's and USPS's files. There
    may also be an array per class, such as ``train0`` to ``train9``, or one array with an axis for the digits.

    Raises
    ------
    DataError
        If the file cannot be read, or has no images and labels.
    """
    arrays, kind, notes = _read(path, tell)
    result = found_in(path, {name: array.shape for name, array in arrays.items()}, arrays.__getitem__, kind)
    result = replace(result, notes=(*result.notes, *notes))
    if not family_of(path.parent.name, path.name).transposed:
        return result
    training, test = (
        None if part is None else replace(part, images=np.ascontiguousarray(part.images.transpose(0, 2, 1)))
        for part in (result.training, result.test)
    )
    note = "EMNIST stores images with rows and columns swapped; they were transposed."
    return replace(result, training=training, test=test, notes=(*result.notes, note))


def _read(path: Path, tell: ProgressCallback) -> tuple[dict[str, NDArray[Any]], str, tuple[str, ...]]:
    """Return all numeric arrays by name, the file format, and notes about assumptions."""
    kind = "MATLAB file"
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(path, f"is too large; the limit is {MAX_BYTES // 2**20} MB")
        content = path.read_bytes()
        if find_hdf5(content) is None:
            values = named_values(content, may_unpack_to(size), [])
        else:
            kind = "HDF5 file"
            values = _members(Hdf5File(content, may_unpack_to(size)).root, 0)
        arrays: dict[str, NDArray[Any]] = {}
        for name, value in values:
            for inner_name, array in _arrays(name, value, 0):
                if len(arrays) < _MAX_ARRAYS:
                    arrays.setdefault(inner_name, array)
            tell(0)
    except (DamagedMatError, Hdf5Error) as error:
        raise DataError(path, f"is a damaged or unsupported {kind}: {error}") from error
    except (OSError, ValueError, OverflowError, LookupError, MemoryError, ArithmeticError, zlib.error) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    paged = _from_pages(arrays)
    if paged is None:
        return _joined_classes(arrays), kind, ()
    return paged, kind, ("The pages of the array were read as the digits 1 to 9 and 0, and its columns as images.",)


def _members(group: Hdf5Group, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the arrays of an HDF5 group and its subgroups, with the names of groups before a dot."""
    for name, member in group.members().items():
        if isinstance(member, Hdf5Group):
            if depth < _MAX_DEPTH:
                yield from ((f"{name}.{inner}", value) for inner, value in _members(member, depth + 1))
        else:
            yield name.removesuffix(":0"), member.read()


def _arrays(name: str, value: Any, depth: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the numeric arrays in a value, with the names of structures before a dot."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        yield name, value
    elif isinstance(value, dict) and depth < _MAX_DEPTH:
        for key, inner in value.items():
            yield from _arrays(f"{name}.{key}", inner, depth + 1)


def _from_pages(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]] | None:
    """Return the images and labels in a lone array of shape (pixels, images of a digit, 10), or None.

    USPS's file ``usps_all.mat`` is one. As usual in MATLAB, the tenth page is for the digit 0, and the pixels of an
    image are stored column by column.
    """
    if len(arrays) != 1:
        return None
    (array,) = arrays.values()
    if array.ndim != 3 or array.shape[2] != 10 or (n := array.shape[1]) not in image_layouts(array.shape[:2]):
        return None
    side = math.isqrt(len(array))
    if side**2 != len(array):  # there is a pixel in each column, not an image
        return None
    images = array.transpose(2, 1, 0).reshape(10 * n, side, side).transpose(0, 2, 1)
    return {"images": images, "labels": np.repeat([*range(1, 10), 0], n)}


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
