"""The IDX format of MNIST's files: a magic number, the sizes of each dimension, and numbers; often gzipped.

Source: the format's description on the MNIST site (LeCun, Cortes, Burges): two zero bytes, a type (8 is unsigned byte,
12 a big-endian 32-bit integer), the number of dimensions, one big-endian 32-bit size for each, and the data in C order.
"""

import contextlib
import gzip
import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import Tell, ignore_progress
from digitpad.errors import DataError, reason

_GZIP_MAGIC = b"\x1f\x8b"

MAX_BYTES = 704 * 2**20
"""More than any MNIST-shaped set takes (547 MB); what claims more is refused before a byte of it is read."""

FREE_BYTES = 128 * 2**20
"""So much a packed file may unpack to, however small it is; what claims more …"""

MAX_RATIO = 100
"""… may be so many times as large as the file. Handwriting packs to a fifth, and zeros to a thousandth."""


def may_unpack_to(packed_bytes: int) -> int:
    """How many bytes a packed file of that size may unpack to."""
    return min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * packed_bytes))


def read_idx(
    path: Path, n_dimensions: int, n_first: int | None = None, tell: Tell = ignore_progress
) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, raw or gzipped.

    Parameters
    ----------
    path : Path
    n_dimensions : int
        What is expected: 1 for labels, 3 for images.
    n_first : int, optional
        Read no more than so many labels or images; the rest of the file is then neither unpacked nor checked.
    tell : callable, optional
        Hears after each mebibyte, of 0 images; what it raises ends the reading.

    Returns
    -------
    ndarray of uint8 with ``n_dimensions`` dimensions, read-only

    Raises
    ------
    DataError
        If the file cannot be read, is not IDX, or holds less or more than its header says.
    """
    return _read_array(path, _Kind(8, "unsigned bytes", np.dtype(np.uint8)), n_dimensions, n_first, tell)


def read_classes(path: Path) -> NDArray[np.uint8]:
    """The labels in an IDX file with a row of 32-bit integers a label, the class first, as QMNIST has them.

    Raises
    ------
    DataError
        As `read_idx` does, and if a class is below 0 or above 255.
    """
    rows = _read_array(path, _Kind(12, "32-bit integers", np.dtype(">i4")), 2, None, ignore_progress)
    if not rows.shape[1]:
        raise DataError(path, "has rows of no number; expected the class in the first of each")
    classes = rows[:, 0]
    if classes.size and not 0 <= classes.min() <= classes.max() <= 255:
        row = int(np.argmax((classes < 0) | (classes > 255)))
        raise DataError(path, f"label {row} is {classes[row]}; expected 0 to 255")
    return classes.astype(np.uint8)


@dataclass(frozen=True)
class _Kind:
    """A type of numbers: its byte in the header, its name, and NumPy's."""

    code: int
    name: str
    dtype: np.dtype[Any]


def _read_array(path: Path, kind: _Kind, n_dimensions: int, n_first: int | None, tell: Tell) -> NDArray[Any]:
    try:
        with opened(path) as (file, size, zipped):
            shape = _read_header(path, file, kind, n_dimensions, size if zipped else MAX_BYTES)
            if n_first is not None:
                shape = (min(n_first, shape[0]), *shape[1:])
            expected = math.prod(shape) * kind.dtype.itemsize
            begin = 4 + 4 * n_dimensions
            if not zipped and (size < begin + expected or (size > begin + expected and n_first is None)):
                raise _wrong_length(path, expected, size - begin)
            content = np.empty(expected, np.uint8)
            n_read = _read_into(file, content, tell)
            # One byte more than expected tells a file that is too long, however much it would unpack to.
            n_read += len(file.read(1)) if n_first is None and n_read == expected else 0
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    if n_read != expected:
        raise _wrong_length(path, expected, n_read)
    array = content.view(kind.dtype).reshape(shape)
    array.flags.writeable = False
    return array


def _wrong_length(path: Path, expected: int, n_read: int) -> DataError:
    found = f"more than {expected}" if n_read > expected else str(n_read)
    return DataError(path, f"its header promises {expected} bytes of data, but there are {found}")


def _read_into(file: BinaryIO | gzip.GzipFile, content: NDArray[np.uint8], tell: Tell) -> int:
    """Fill the array, whose memory is touched only as far as there is something to fill it with; how far that was."""
    place = 0
    while place < len(content) and (piece := file.read(min(2**20, len(content) - place))):
        content[place : place + len(piece)] = np.frombuffer(piece, np.uint8)
        place += len(piece)
        tell(0)
    return place


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO | gzip.GzipFile, int, bool]]:
    """The file, unpacked as it is read; its size, and whether it is packed."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == _GZIP_MAGIC
        size = os.fstat(raw.fileno()).st_size
        if size > MAX_BYTES:
            raise DataError(path, f"is {size} bytes long; at most {MAX_BYTES} are read")
        raw.seek(0)
        if zipped:
            with gzip.open(raw) as unpacked:
                yield unpacked, size, True
        else:
            yield raw, size, False


def _read_header(
    path: Path, file: BinaryIO | gzip.GzipFile, kind: _Kind, n_dimensions: int, packed_bytes: int
) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(path, f"is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, not 00 00")
    if magic[2] != kind.code:
        raise DataError(path, f"holds IDX type 0x{magic[2]:02x}; expected 0x{kind.code:02x}, {kind.name}")
    if magic[3] != n_dimensions:
        raise DataError(path, f"has {magic[3]} dimensions; expected {n_dimensions}")
    sizes = file.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        raise DataError(path, "ends within its header")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    # Each size by itself too: a 0 among them makes any product small.
    most = may_unpack_to(packed_bytes)
    if max(math.prod(shape) * kind.dtype.itemsize, *shape) > most:
        raise DataError(path, f"claims {' × '.join(map(str, shape))} numbers; at most {most} bytes are read of it")
    return shape
