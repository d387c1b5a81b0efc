"""Reader of IDX, the format of MNIST's files: a magic number, the size of each dimension, and the data; often gzipped.

Source: the format description on the MNIST site (LeCun, Cortes, Burges): two zero bytes, a type (8 is unsigned byte,
12 a big-endian 32-bit integer), the number of dimensions, one big-endian 32-bit size for each, and the data in C order.
"""

import bz2
import contextlib
import gzip
import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

_GZIP_MAGIC, _BZIP2_MAGIC = b"\x1f\x8b", b"BZh"
_UNSIGNED_BYTE, _INT32 = 8, 12

MAX_BYTES = 704 * 2**20
"""Size limit, checked before reading. The largest dataset of 28 × 28 images takes 547 MB."""

FREE_BYTES = 128 * 2**20
"""Decompressed size that every gzip file may have, however small it is."""

MAX_RATIO = 100
"""Maximum compression ratio beyond `FREE_BYTES`. Handwriting compresses to a fifth, zeros to a thousandth."""


def may_unpack_to(packed_bytes: int) -> int:
    """Return the decompressed size limit of a compressed file of that size, in bytes."""
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * packed_bytes))


def read_idx(
    path: Path, n_dimensions: int, n_first: int | None = None, tell: ProgressCallback = ignore_progress
) -> NDArray[np.uint8]:
    """Read the array in an IDX file of unsigned bytes, raw or gzipped.

    Parameters
    ----------
    path : Path
    n_dimensions : int
        Expected number of dimensions: 1 for labels, 3 for images.
    n_first : int, optional
        Maximum number of labels or images to read; the rest of the file is neither decompressed nor checked.
    tell : callable, optional
        Called with 0 after each mebibyte; an exception that it raises stops reading.

    Returns
    -------
    ndarray of uint8 with ``n_dimensions`` dimensions, read-only

    Raises
    ------
    DataError
        If the file cannot be read, is not IDX, or its length does not match its header.
    """
    return _read_array(path, _Kind(_UNSIGNED_BYTE, "unsigned bytes", np.dtype(np.uint8)), n_dimensions, n_first, tell)


def read_classes(path: Path) -> NDArray[np.uint8]:
    """Read the labels in QMNIST's IDX format: a row of 32-bit integers per label, the class first.

    Returns uint8 of shape (n,).

    Raises
    ------
    DataError
        As for `read_idx`, and if a class is below 0 or above 255.
    """
    rows = _read_array(path, _Kind(_INT32, "32-bit integers", np.dtype(">i4")), 2, None, ignore_progress)
    if not rows.shape[1]:
        raise DataError(path, "has empty rows; expected the class in the first column")
    classes = rows[:, 0]
    if classes.size and not 0 <= classes.min() <= classes.max() <= 255:
        row = int(np.argmax((classes < 0) | (classes > 255)))
        raise DataError(path, f"label {row} is {classes[row]}; expected 0 to 255")
    return classes.astype(np.uint8)


def idx_shape(path: Path) -> tuple[int, ...] | None:
    """Return the shape that the header of an IDX file states; None if it is not that of images or labels.

    Labels have one dimension; QMNIST's have two, of integers. Only the header is read and decompressed.
    """
    try:
        with opened(path) as (file, _, _):
            magic = file.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or (magic[2], magic[3]) not in (
                (_UNSIGNED_BYTE, 1), (_UNSIGNED_BYTE, 3), (_INT32, 2),
            ):  # fmt: skip
                return None
            sizes = file.read(4 * magic[3])
    except (OSError, EOFError, zlib.error, DataError):
        return None
    return tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))


@dataclass(frozen=True)
class _Kind:
    """Number type: its code in the header, its name, and its NumPy type."""

    code: int
    name: str
    dtype: np.dtype[Any]


def _read_array(
    path: Path, kind: _Kind, n_dimensions: int, n_first: int | None, tell: ProgressCallback
) -> NDArray[Any]:
    try:
        with opened(path) as (file, size, zipped):
            shape = _read_header(path, file, kind, n_dimensions, size if zipped else MAX_BYTES)
            if n_first is not None:
                shape = (min(n_first, shape[0]), *shape[1:])
            expected = math.prod(shape) * kind.dtype.itemsize
            n_header = 4 + 4 * n_dimensions
            if not zipped and (size < n_header + expected or (size > n_header + expected and n_first is None)):
                raise _wrong_length(path, expected, size - n_header)
            content = np.empty(expected, np.uint8)
            n_read = _read_into(file, content, tell)
            # One extra byte shows that the file is too long, without decompressing the rest.
            n_read += len(file.read(1)) if n_first is None and n_read == expected else 0
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    if n_read != expected:
        raise _wrong_length(path, expected, n_read)
    array = content.view(kind.dtype).reshape(shape)
    array.flags.writeable = False
    return array


def _wrong_length(path: Path, expected: int, n_read: int) -> DataError:
    size = f"more than {expected:,}" if n_read > expected else f"{n_read:,}"
    return DataError(path, f"has {size} bytes of data; its header says {expected:,}")


def _read_into(file: IO[bytes], content: NDArray[np.uint8], tell: ProgressCallback) -> int:
    """Fill the array from the file and return the number of bytes read; memory beyond them is not touched."""
    n_read = 0
    while n_read < len(content) and (chunk := file.read(min(2**20, len(content) - n_read))):
        content[n_read : n_read + len(chunk)] = np.frombuffer(chunk, np.uint8)
        n_read += len(chunk)
        tell(0)
    return n_read


@contextlib.contextmanager
def opened(path: Path, max_bytes: int = MAX_BYTES) -> Iterator[tuple[IO[bytes], int, bool]]:
    """Open a file that may be gzipped: yield the decompressed stream, the size on disk, and whether it is compressed.

    Files compressed with bzip2 are opened as well.
    """
    with path.open("rb") as raw:
        magic = raw.read(3)
        size = os.fstat(raw.fileno()).st_size
        if size > max_bytes:
            raise DataError(path, f"is too large; the limit is {max_bytes // 2**20:,} MB")
        raw.seek(0)
        if magic.startswith(_GZIP_MAGIC):
            with gzip.open(raw) as unpacked:
                yield cast(IO[bytes], unpacked), size, True
        elif magic == _BZIP2_MAGIC:
            with bz2.open(raw) as unpacked_bz2:
                yield unpacked_bz2, size, True
        else:
            yield raw, size, False


def _read_header(path: Path, file: IO[bytes], kind: _Kind, n_dimensions: int, packed_bytes: int) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(
            path, f"is not an IDX file: its first bytes are {magic.hex(' ')}, not 00 00" if magic else "is empty"
        )
    if magic[2] != kind.code:
        raise DataError(path, f"has the IDX type 0x{magic[2]:02x}; expected 0x{kind.code:02x}, {kind.name}")
    if magic[3] != n_dimensions:
        raise DataError(path, f"has {magic[3]} dimensions; expected {n_dimensions}")
    sizes = file.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        raise DataError(path, "is cut off within its header")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    # Check each size as well: with a 0 among them, the product is small.
    limit = may_unpack_to(packed_bytes)
    if max(math.prod(shape) * kind.dtype.itemsize, *shape) > limit:
        raise DataError(path, f"claims {' × '.join(map(str, shape))} numbers; the limit is {limit:,} bytes")
    return shape
