"""Parsers of the parts of an HDF5 object header: data types, shapes, storage layouts and filters.

Source: HDF5 File Format Specification, version 3.0 (The HDF Group), section IV.A.2. Nothing is allocated here that is
larger than the message itself.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_RANK = 8
MAX_CHUNK_BYTES = 64 * 2**20
_UNDEFINED = 2**64 - 1
_FIXED, _FLOAT, _STRING, _ENUM, _VARIABLE = 0, 1, 3, 8, 9
_GZIP, _SHUFFLE, _CHECKSUM = 1, 2, 3


class Hdf5Error(ValueError):
    """Error about a damaged HDF5 file, or a feature of HDF5 that is not supported."""


class Cursor:
    """Position in bytes that are read as little-endian numbers; reading beyond the end raises `Hdf5Error`."""

    def __init__(self, data: memoryview, at: int = 0) -> None:
        self.data = data
        self.at = at

    def take(self, n: int) -> memoryview:
        """Return the next n bytes."""
        if n < 0 or not 0 <= self.at <= len(self.data) - n:
            raise Hdf5Error("it ends in the middle of a structure")
        part = self.data[self.at : self.at + n]
        self.at += n
        return part

    def number(self, n_bytes: int) -> int:
        """Return the next unsigned number."""
        return int.from_bytes(self.take(n_bytes), "little")

    def address(self) -> int | None:
        """Return the next address, or None if it is undefined."""
        address = self.number(8)
        return None if address == _UNDEFINED else address

    def signature(self, expected: bytes) -> None:
        """Check the next bytes."""
        if bytes(self.take(len(expected))) != expected:
            raise Hdf5Error(f"a structure {expected.decode()} is not where it should be")

    def padded_text(self, n_bytes: int, unit: int) -> str:
        """Return a text of n bytes, which ends at the first zero, and skip its padding to a multiple of ``unit``."""
        text = bytes(self.take(n_bytes)).partition(b"\0")[0].decode("utf-8", "replace")
        self.take(-n_bytes % unit)
        return text


@dataclass(frozen=True)
class DataType:
    """Type of elements: a NumPy type, a fixed-length text (``S`` type), or texts of variable length (``is_text``)."""

    dtype: np.dtype[Any] | None
    n_bytes: int
    is_text: bool = False
    is_bfloat16: bool = False


def parse_data_type(data: memoryview, depth: int = 0) -> DataType:
    """Return the type that a data type message describes; one without a NumPy type if it is not supported."""
    cursor = Cursor(data)
    kind = cursor.number(1) & 0x0F
    bits = cursor.number(3)
    n_bytes = cursor.number(4)
    order = ">" if bits & 1 else "<"
    unsupported = DataType(None, n_bytes)
    if kind == _FIXED and n_bytes in (1, 2, 4, 8):
        return DataType(np.dtype(f"{order}{'i' if bits & 8 else 'u'}{n_bytes}"), n_bytes)
    if kind == _FLOAT and n_bytes in (2, 4, 8) and not bits & 0x40:
        _, precision, _, exponent_bits, _, _ = struct.unpack("<HHBBBB", cursor.take(8))
        if precision == 16 and exponent_bits == 8:  # the upper half of a float32
            return DataType(np.dtype(f"{order}u2"), n_bytes, is_bfloat16=True)
        if (n_bytes, exponent_bits) in ((2, 5), (4, 8), (8, 11)) and precision == 8 * n_bytes:
            return DataType(np.dtype(f"{order}f{n_bytes}"), n_bytes)
    if kind == _STRING and 0 < n_bytes <= 2**24:
        return DataType(np.dtype(f"S{n_bytes}"), n_bytes)
    if kind == _ENUM and depth == 0:  # h5py stores bools as an enumeration
        return parse_data_type(data[8:], depth + 1)
    if kind == _VARIABLE and bits & 0x0F == 1:
        return DataType(None, n_bytes, is_text=True)
    return unsupported


def parse_shape(data: memoryview) -> tuple[int, ...] | None:
    """Return the shape that a dataspace message describes: () for a scalar, None for no data at all."""
    cursor = Cursor(data)
    version, rank, _flags = (cursor.number(1) for _ in range(3))
    if version not in (1, 2) or rank > MAX_RANK:
        raise Hdf5Error(f"a shape has version {version} and {rank} dimensions")
    kind = cursor.number(1)
    if version == 1:
        cursor.take(4)
    elif kind == 2:
        return None
    return tuple(cursor.number(8) for _ in range(rank))


@dataclass(frozen=True)
class Layout:
    """Storage of a dataset: bytes in the header, one block, or chunks of a shape.

    Attributes
    ----------
    inline : memoryview, optional
        The bytes themselves.
    address : int, optional
        Address of the block, of the only chunk, or of the B-tree of chunks; None if nothing was written.
    n_bytes : int
        Size of the block or of the only chunk.
    chunk : tuple of int, optional
        Shape of a chunk.
    is_single : bool
        Whether there is only one chunk.
    """

    inline: memoryview | None = None
    address: int | None = None
    n_bytes: int = 0
    chunk: tuple[int, ...] | None = None
    is_single: bool = False


def parse_layout(data: memoryview) -> Layout:
    """Return the layout that a layout message describes (versions 1 to 5)."""
    cursor = Cursor(data)
    version = cursor.number(1)
    if version in (1, 2):
        return _old_layout(cursor)
    if version not in (3, 4, 5):
        raise Hdf5Error(f"a dataset has the unknown storage version {version}")
    kind = cursor.number(1)
    if kind == 0:
        return Layout(inline=cursor.take(cursor.number(2)))
    if kind == 1:
        return Layout(address=cursor.address(), n_bytes=cursor.number(8))
    if kind != 2:
        raise Hdf5Error("a dataset is stored in other files (virtual), which is not supported")
    if version == 3:
        rank = cursor.number(1)
        address = cursor.address()
        return Layout(address=address, chunk=_chunk(cursor, rank, 4))
    flags, rank, size = (cursor.number(1) for _ in range(3))
    chunk = _chunk(cursor, rank, size)
    if cursor.number(1) != 1:
        raise Hdf5Error("a dataset uses a chunk index of HDF5 1.10 or later, which is not supported")
    n_bytes = 0
    if flags & 2:
        n_bytes = cursor.number(8)
        cursor.take(4)
    return Layout(address=cursor.address(), n_bytes=n_bytes, chunk=chunk, is_single=True)


def _old_layout(cursor: Cursor) -> Layout:
    rank, kind = cursor.number(1), cursor.number(1)
    cursor.take(5)
    address = cursor.address() if kind else None
    if kind == 2:
        return Layout(address=address, chunk=_chunk(cursor, rank, 4))
    sizes = [cursor.number(4) for _ in range(min(rank, MAX_RANK + 1))]
    if kind == 1:
        return Layout(address=address, n_bytes=math.prod(sizes))
    return Layout(inline=cursor.take(cursor.number(4)))


def _chunk(cursor: Cursor, rank: int, n_bytes: int) -> tuple[int, ...]:
    """Return the shape of a chunk; the last size in the file is that of an element."""
    if not 2 <= rank <= MAX_RANK + 1:
        raise Hdf5Error(f"a dataset has chunks of {rank} dimensions")
    sizes = [cursor.number(n_bytes) for _ in range(rank)]
    if min(sizes) < 1 or math.prod(sizes) > MAX_CHUNK_BYTES:
        raise Hdf5Error("a dataset has chunks of an impossible size")
    return tuple(sizes[:-1])


def parse_filters(data: memoryview) -> list[tuple[int, int]]:
    """Return the number and the first parameter of each filter, in the order in which they were applied."""
    cursor = Cursor(data)
    version, n = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.take(6)
    filters = []
    for _ in range(min(n, 32)):
        kind = cursor.number(2)
        n_name = cursor.number(2) if version == 1 or kind >= 256 else 0
        cursor.take(2)
        n_values = cursor.number(2)
        cursor.take(n_name + (-n_name % 8 if version == 1 else 0))
        values = [cursor.number(4) for _ in range(min(n_values, 64))]
        if version == 1 and n_values % 2:
            cursor.take(4)
        filters.append((kind, values[0] if values else 0))
    return filters


def unfiltered(data: memoryview, filters: list[tuple[int, int]], skipped: int, n_bytes: int, itemsize: int) -> bytes:
    """Return the content of a chunk of ``n_bytes``; the bits of ``skipped`` are the filters that it does not use."""
    content = bytes(data)
    for i, (kind, _) in reversed(list(enumerate(filters))):
        if skipped >> i & 1:
            continue
        if kind == _GZIP:
            try:
                content = zlib.decompressobj().decompress(content, n_bytes + 8)
            except zlib.error as error:
                raise Hdf5Error(f"a chunk cannot be decompressed ({error})") from error
        elif kind == _SHUFFLE:
            n_items = len(content) // itemsize
            whole = np.frombuffer(content, np.uint8, n_items * itemsize).reshape(itemsize, n_items)
            content = whole.T.tobytes() + content[n_items * itemsize :]
        elif kind == _CHECKSUM:
            content = content[:-4]
        else:
            raise Hdf5Error(f"a dataset is compressed with filter {kind}, which is not supported")
    return content


def decoded(content: bytes | memoryview, kind: DataType, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return bytes as an array in native byte order."""
    assert kind.dtype is not None
    n = math.prod(shape)
    if len(content) < n * kind.n_bytes:
        raise Hdf5Error(f"an array of shape {shape} needs {n * kind.n_bytes:,} bytes, but has {len(content):,}")
    array: NDArray[Any] = np.frombuffer(content, kind.dtype, n).reshape(shape)
    if kind.is_bfloat16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
