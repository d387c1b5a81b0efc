"""Parser for the header of NumPy's array format, which weights and datasets share; the header is not trusted."""

import math
import re
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

MAX_HEADER_BYTES = 1000

# Exactly the header that NumPy writes for an array of one simple type. Python 2 wrote sizes as 784L.
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?(?:[biuf](?:1|2|4|8|16)|[OUS][0-9]{0,6}))', 'fortran_order': (True|False), "
    rb"'shape': \(([0-9L, ]{0,200})\), ?\} *\n?"
)


@dataclass(frozen=True)
class NpyHeader:
    """Type, shape and memory order as stated by a header; not yet compared with the content."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    by_columns: bool

    @property
    def n_bytes(self) -> int:
        """Number of bytes that should follow the header."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> NpyHeader:
    """Read the header at the beginning of a file, of version 1, 2 or 3.

    Raises
    ------
    ValueError
        If there is no valid header, or the array does not hold numbers, strings or objects. The message is worded to
        follow the name of a file.
    """
    prefix = file.read(8)
    if len(prefix) < 8 or prefix[:6] != b"\x93NUMPY" or prefix[6] not in (1, 2, 3):
        raise ValueError("is not in NumPy's format")
    length = int.from_bytes(file.read(2 if prefix[6] == 1 else 4), "little")
    header = _HEADER.fullmatch(file.read(length)) if length <= MAX_HEADER_BYTES else None
    if header is None:
        raise ValueError("is not a plain array of numbers")
    try:
        dtype = np.dtype(header[1].decode())
        shape = tuple(int(size) for size in re.sub("[L ]", "", header[3].decode()).split(",") if size)
    except (TypeError, ValueError) as error:
        raise ValueError("is not a plain array of numbers") from error
    return NpyHeader(dtype, shape, header[2] == b"True")
