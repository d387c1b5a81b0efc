"""The IDX format of MNIST's files: a magic number, the sizes of each dimension, and bytes; often gzipped.

Source: the format's description on the MNIST site (LeCun, Cortes, Burges): two zero bytes, a type (8 is unsigned byte),
the number of dimensions, one big-endian 32-bit size for each, and the data in C order.
"""

import contextlib
import gzip
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import DataError, reason

_UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"

MAX_BYTES = 128 * 2**20
"""More than any MNIST-shaped set takes (47 MB); what claims more is refused before a byte of it is read."""


def read_idx(path: Path, n_dimensions: int, n_first: int | None = None) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, raw or gzipped.

    Parameters
    ----------
    path : Path
    n_dimensions : int
        What is expected: 1 for labels, 3 for images.
    n_first : int, optional
        Read no more than so many labels or images; the rest of the file is then neither unpacked nor checked.

    Returns
    -------
    ndarray of uint8 with ``n_dimensions`` dimensions, read-only

    Raises
    ------
    DataError
        If the file cannot be read, is not IDX, or holds less or more than its header says.
    """
    try:
        with _opened(path) as file:
            shape = _read_header(path, file, n_dimensions)
            if n_first is not None:
                shape = (min(n_first, shape[0]), *shape[1:])
            expected = math.prod(shape)
            # One byte more than expected tells a file that is too long, however much it would unpack to.
            content = _read(file, expected + (n_first is None))
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    if len(content) != expected:
        found = f"more than {expected}" if len(content) > expected else str(len(content))
        raise DataError(path, f"its header promises {expected} bytes of data, but there are {found}")
    array = np.frombuffer(content, np.uint8).reshape(shape)
    array.flags.writeable = False
    return array


def _read(file: BinaryIO | gzip.GzipFile, size: int) -> bytearray:
    """At most ``size`` bytes, in pieces: asked for all at once, gzip holds them twice."""
    content = bytearray()
    while len(content) < size and (piece := file.read(min(2**20, size - len(content)))):
        content += piece
    return content


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | gzip.GzipFile]:
    with path.open("rb") as raw:
        zipped = raw.read(2) == _GZIP_MAGIC
        size = os.fstat(raw.fileno()).st_size
        if size > MAX_BYTES:
            raise DataError(path, f"is {size} bytes long; at most {MAX_BYTES} are read")
        raw.seek(0)
        if zipped:
            with gzip.open(raw) as unpacked:
                yield unpacked
        else:
            yield raw


def _read_header(path: Path, file: BinaryIO | gzip.GzipFile, n_dimensions: int) -> tuple[int, ...]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(path, f"is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, not 00 00")
    if magic[2] != _UNSIGNED_BYTE:
        raise DataError(path, f"holds IDX type 0x{magic[2]:02x}; expected 0x08, unsigned bytes")
    if magic[3] != n_dimensions:
        raise DataError(path, f"has {magic[3]} dimensions; expected {n_dimensions}")
    sizes = file.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        raise DataError(path, "ends within its header")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    if max(math.prod(shape), *shape) > MAX_BYTES:  # each by itself too: a 0 among them makes any product small
        raise DataError(path, f"claims {' × '.join(map(str, shape))} bytes; at most {MAX_BYTES} are read")
    return shape
