"""MATLAB files, built from the format's specification without a library, and an Octave file."""

import struct
import zlib
from typing import Any

from numpy.typing import NDArray


def element(kind: int, content: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", kind, len(content)) + content + bytes(-len(content) % 8)


def small(kind: int, content: bytes, order: str = "<") -> bytes:
    """Return a small element: at most four bytes, stored in its tag."""
    words = struct.pack(f"{order}I", len(content) << 16 | kind)
    return words + content + bytes(4 - len(content))


def mat_matrix(name: str, array: NDArray[Any], cls: int = 6, order: str = "<", parts: bytes | None = None) -> bytes:
    """Return a matrix element in column-major order; ``parts`` replaces its numbers."""
    kinds = {"f8": 9, "f4": 7, "u1": 2, "u2": 4, "i4": 5}
    flags = element(6, struct.pack(f"{order}II", cls, 0), order)
    sizes = element(5, struct.pack(f"{order}{array.ndim}i", *array.shape), order)
    text = name.encode()
    named = small(1, text, order) if 0 < len(text) <= 4 else element(1, text, order)
    numbers = array.astype(array.dtype.newbyteorder(order)).tobytes("F")  # type: ignore[arg-type]
    numbers = element(kinds[array.dtype.str[1:]], numbers, order) if parts is None else parts
    return element(14, flags + sizes + named + numbers, order)


def packed(content: bytes, order: str = "<") -> bytes:
    """Return a compressed element, the only type that is not padded."""
    inner = zlib.compress(content)
    return struct.pack(f"{order}II", 15, len(inner)) + inner


def mat(*elements: bytes, order: str = "<") -> bytes:
    header = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124)
    return header + struct.pack(f"{order}HH", 0x0100, 0x4D49) + b"".join(elements)


OCTAVE = b"""# Created by Octave 6.2.0, Sat Nov 21 16:00:00 2026 UTC <me@here>
# name: Theta1
# type: matrix
# rows: 2
# columns: 3
 1 2 3
 4 5e-1 -6


# name: lambda
# type: scalar
1.5


# name: ready
# type: bool
1
"""
