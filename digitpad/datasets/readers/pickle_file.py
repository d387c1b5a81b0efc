"""Reader of pickled datasets: pairs of images and labels, as in deeplearning.net's ``mnist.pkl.gz``, arrays, or dicts.

Pickles are read by a safe interpreter, which is shared with weights. It imports, builds and calls nothing.
"""

import io
import itertools
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.array_roles import image_layouts
from digitpad.datasets.conversion.named_arrays import (
    EXPECTED,
    TEST_PAIR,
    TRAINING_PAIR,
    VALIDATION_PAIR,
    found_in,
    has_pair,
)
from digitpad.datasets.conversion.table_layout import dataset_in_table, has_table
from digitpad.datasets.digits import ReaderResult
from digitpad.datasets.readers.idx import may_unpack_to, opened
from digitpad.errors import DataError, reason
from digitpad.formats.pickle_nodes import ArrayNode, ObjectNode
from digitpad.formats.progress import ProgressCallback, ignore_progress
from digitpad.formats.safe_pickle import MAX_COPIED_BYTES, read_pickles

SUFFIXES = (".pkl", ".pickle", ".pkl.gz", ".pickle.gz")

_Pair = tuple[NDArray[Any], NDArray[Any]]
_PAIRS = {
    1: (TRAINING_PAIR,),
    2: (TRAINING_PAIR, TEST_PAIR),
    3: (TRAINING_PAIR, VALIDATION_PAIR, TEST_PAIR),
}
_MAX_PARTS = 6
_CHUNK_BYTES = 2**20
_BUFFER_BYTES = 2**14
_MAX_ARRAYS = 1000
_TABLE = "table"  # name of an array that is not in a tuple or dict


def has_pickled_data(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a pickle contains images and labels, rather than matrices and biases in the same structure.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    arrays = _arrays_by_name(path, tell)
    if list(arrays) == [_TABLE]:
        return has_table(arrays[_TABLE])
    return has_pair(_shapes(arrays), lambda name: _array_of(path, arrays, name))


def read_pickled_set(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a pickle, raw or gzipped.

    The pickle contains a tuple or list of (images, labels) pairs for training, validation and test; for training and
    test; or for training only. The arrays may also be in a flat tuple or list, or in a dict with names as in `.npz`.

    Raises
    ------
    DataError
        If the file cannot be read, or has another structure.
    """
    arrays = _arrays_by_name(path, tell)
    if not arrays:
        raise DataError(
            path,
            "is a pickle without images and labels; expected a tuple of pairs (training, validation, test), or "
            f"{EXPECTED} in a dict or tuple",
        )
    if list(arrays) == [_TABLE] and has_table(arrays[_TABLE]):
        return dataset_in_table(path, arrays[_TABLE], "pickle")
    return found_in(path, _shapes(arrays), lambda name: _array_of(path, arrays, name), "pickle")


def _shapes(arrays: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape if isinstance(value, np.ndarray) else (len(value),) for name, value in arrays.items()}


def _arrays_by_name(path: Path, tell: ProgressCallback) -> dict[str, Any]:
    """Return possible arrays in a pickle by name; arrays in pairs are named by purpose. Empty for another structure.

    Lists are not converted yet, because many names may refer to the same list.
    """
    tree = _unwrap(_read_tree(path, tell))
    if isinstance(tree, ObjectNode) and tree.pairs:  # a kind of dict, such as scikit-learn's Bunch
        tree = tree.pairs
    if isinstance(tree, np.ndarray) and tree.ndim == 2:
        return {_TABLE: tree}
    if isinstance(tree, dict):
        arrays: dict[str, Any] = {}
        known: set[str] = set()
        for key, value in tree.items():
            name, value = key, _unwrap(value)
            if isinstance(value, np.ndarray | list):
                if name.lower() in known:
                    raise DataError(path, f"contains {name.lower()[:80]!r} twice")
                if len(arrays) == _MAX_ARRAYS:
                    break
                known.add(name.lower())
                arrays[name] = value
        return arrays
    pairs = _pairs(tree) if isinstance(tree, list | tuple) and len(tree) <= _MAX_PARTS else []
    if pairs:
        return {
            name: array
            for names, pair in zip(_PAIRS[len(pairs)], pairs, strict=True)
            for name, array in zip(names, pair, strict=True)
        }
    return {}


def _array_of(path: Path, arrays: dict[str, Any], name: str) -> NDArray[Any]:
    array = _array(arrays[name])
    if array is None:
        raise DataError(path, f"{name[:80]!r} is not an array of numbers")
    return array


def _pairs(parts: Sequence[Any]) -> list[_Pair]:
    """Return the pairs of images and labels in a sequence, or an empty list.

    The sequence contains pairs, is itself a pair, or contains the arrays alternating or grouped.
    """
    half = len(parts) // 2
    for pairs, is_explicit in (
        ([_unwrap(part) for part in parts], True),
        ([parts], True),
        (list(zip(parts[::2], parts[1::2], strict=False)), False),
        (list(zip(parts[:half], parts[half:], strict=False)), False),  # the order of scikit-learn's train_test_split
    ):
        result = list(itertools.takewhile(bool, (_pair(pair, is_explicit=is_explicit) for pair in pairs)))
        if len(result) == len(pairs) and len(result) in _PAIRS:
            return [pair for pair in result if pair]
    return []


def _pair(part: Any, *, is_explicit: bool) -> _Pair | None:
    """Return the images and labels of a pair, or None.

    Images are recognised by their shape, or by the structure if it ``is_explicit``.
    """
    if not isinstance(part, list | tuple) or len(part) != 2:
        return None
    images = _unwrap(part[0])  # first, because converting a list of labels takes time
    if not isinstance(images, np.ndarray) or images.ndim < 2 or not (_are_images(images.shape) or is_explicit):
        return None
    labels = _array(part[1])
    if _array(images) is None or labels is None:
        return None
    # If the structure is unambiguous, accept different lengths here; the reader then reports the mismatch.
    return (images, labels) if len(images) == len(labels) or (is_explicit and _are_images(images.shape)) else None


def _are_images(shape: tuple[int, ...]) -> bool:
    return shape[0] in image_layouts(shape)


def _array(value: Any) -> NDArray[Any] | None:
    """Return an array or list of numbers as an array; None for anything else."""
    value = _unwrap(value)
    if isinstance(value, list) and {int, float, bool}.issuperset(map(type, value)):
        value = np.array(value)
    return value if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf" else None


def _unwrap(value: Any) -> Any:
    return value.value if isinstance(value, ArrayNode) else value


def _read_tree(path: Path, tell: ProgressCallback) -> Any:
    try:
        with opened(path) as (file, size, zipped):
            if not size:
                raise DataError(path, "is empty")
            source = _Source(path, file, may_unpack_to(size) if zipped else size, tell)
            try:
                # Before protocol 3, arrays are copied from strings, and copied again to swap bytes.
                limit = max(source.left if zipped else 2 * size, MAX_COPIED_BYTES)
                return read_pickles(source, max_copied_bytes=limit, tell=tell)[0]
            except ValueError as error:
                if source.failure is not None:  # the interpreter reports it as damage
                    raise source.failure from None
                raise DataError(path, str(error)) from error
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


class _Source:
    """Stream of a pickle's decompressed bytes, up to a limit, which keeps the exception if reading fails."""

    def __init__(self, path: Path, file: IO[bytes], limit: int, tell: ProgressCallback) -> None:
        self._path = path
        self._file = file
        self._limit = limit
        self._tell = tell
        self._buffer = io.BytesIO()  # read-ahead buffer: most instructions take a byte or two
        self.left = limit
        self.failure: Exception | None = None

    def read(self, n: int, /) -> bytes:
        """Return n bytes, or fewer at the end of the file."""
        start = self._buffer.read(n)
        left = n - len(start)
        if not left:
            return start
        if left > self.left:
            raise self._size_error()
        if left <= _BUFFER_BYTES:
            self._buffer = io.BytesIO(self._read_chunk(_BUFFER_BYTES))
            return start + self._buffer.read(left)
        content = io.BytesIO()
        content.write(start)
        while (left := n - content.tell()) and (chunk := self._read_chunk(min(left, _CHUNK_BYTES))):
            content.write(chunk)
        return content.getvalue()

    def readline(self) -> bytes:
        """Return the rest of the line, including the line break."""
        line = self._buffer.readline()
        if line.endswith(b"\n"):
            return line
        content = io.BytesIO()
        content.write(line)
        while chunk := self._read_chunk(_BUFFER_BYTES):
            self._buffer = io.BytesIO(chunk)
            content.write(line := self._buffer.readline())
            if line.endswith(b"\n"):
                break
        return content.getvalue()

    def _read_chunk(self, n: int) -> bytes:
        try:
            chunk = self._file.read(min(n, self.left + 1))
            self._tell(0)
        except Exception as error:
            self.failure = error
            raise
        self.left -= len(chunk)
        if self.left < 0:
            raise self._size_error()
        return chunk

    def _size_error(self) -> DataError:
        return DataError(self._path, f"is damaged or too large: it claims more than {self._limit:,} bytes")
