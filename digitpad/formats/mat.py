"""Parser of MATLAB's MAT files, version 5 (``save -v6``, ``-v7``, `scipy.io.savemat`), within a budget.

Source: MAT-File Format (The MathWorks, 2019), chapter 1. A file is a header of 128 bytes and a sequence of elements. An
element is a type, a size in bytes and that many bytes, padded to a multiple of eight. A matrix is an element that holds
other elements: flags, dimensions, name and numbers, in column-major order. Sparse matrices, objects and functions are
skipped; the names of the first two are recorded.
"""

import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"MATLAB 5.0 MAT-file"

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE = 1, 2, 3, 4, 5
_PASSED_OVER = {_OBJECT: "an object", _SPARSE: "sparse"}
_DTYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8", 16: "u1", 17: "u2"
}  # fmt: skip
_MAX_DEPTH = 8
_MAX_FIELDS = 2000
_MAX_ELEMENTS = 10 * _MAX_FIELDS  # a matrix has four elements


class DamagedMatError(ValueError):
    """Error about an element whose header is impossible, or a file that exceeds the budget."""


def named_values(content: bytes | memoryview, budget: int, passed_over: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of each variable: an array, a text, a list (a cell) or a dict (a structure).

    Parameters
    ----------
    content : bytes
        The whole file.
    budget : int
        Limit of all decompressed bytes.
    passed_over : list of str
        Names of matrices that are not read are appended.

    Raises
    ------
    DamagedMatError
        If the file is damaged or exceeds the budget.
    """
    order = {b"IM": "<", b"MI": ">"}.get(bytes(content[126:128]))
    if order is None:
        raise DamagedMatError("its header does not state the byte order")
    reader = _Reader(order, budget, passed_over)
    for kind, data in reader.elements(memoryview(content)[_HEADER_BYTES:]):
        inner = reader.elements(reader.unpacked(data)) if kind == _COMPRESSED else iter([(kind, data)])
        for kind_inside, matrix in inner:
            if kind_inside == _MATRIX:
                yield reader.matrix(matrix, 0)


class _Reader:
    """Parser of elements, with a budget of bytes and elements.

    The names of matrices that are not read are appended to ``passed_over``.
    """

    def __init__(self, order: str, budget: int, passed_over: list[str]) -> None:
        self._order = order
        self._passed_over = passed_over
        self._budget = self._left = budget
        self._n_elements = 0

    def elements(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield the type and the bytes of each element in a sequence of elements."""
        position = 0
        while position + 8 <= len(data):
            kind, size = (int(word) for word in np.frombuffer(data[position : position + 8], f"{self._order}u4"))
            if kind >> 16:  # a small element: at most four bytes, after the first half of the tag
                kind, size, begin, step = kind & 0xFFFF, kind >> 16, position + 4, 8
            else:
                begin, step = position + 8, 8 + size + (-size % 8 if kind != _COMPRESSED else 0)
            if size > len(data) - begin or (begin == position + 4 and size > 4):
                raise DamagedMatError(f"an element claims {size} bytes, but only {len(data) - begin} follow")
            self._n_elements += 1
            if self._n_elements > _MAX_ELEMENTS:
                raise DamagedMatError(f"it has more than {_MAX_ELEMENTS:,} elements")
            yield kind, data[begin : begin + size]
            position += step

    def unpacked(self, data: memoryview) -> memoryview:
        """Return the content of a compressed element."""
        inner = zlib.decompressobj().decompress(data, self._left + 1)
        self._left -= len(inner)
        if self._left < 0:
            raise DamagedMatError(f"it is too large when decompressed; the limit is {self._budget // 2**20} MiB")
        return memoryview(inner)

    def matrix(self, data: memoryview, depth: int) -> tuple[str, Any]:
        """Return the name and the value of a matrix; the value is None if it is not an array, list, dict or text."""
        if depth > _MAX_DEPTH:
            raise DamagedMatError(f"its cells are nested more than {_MAX_DEPTH} deep")
        parts = self.elements(data)
        (_, flags), (_, sizes), (_, name), *rest = [*_take(parts, 3), *parts]
        cls = int(np.frombuffer(flags[:4], f"{self._order}u4")[0]) & 0xFF if len(flags) >= 4 else 0
        shape = tuple(int(size) for size in np.frombuffer(sizes[: len(sizes) // 4 * 4], f"{self._order}i4"))
        if not 2 <= len(shape) <= 8 or min(shape) < 0:
            raise DamagedMatError(f"a matrix has the impossible shape {shape}")
        text = bytes(name).decode("latin-1")[:100]
        if cls in _PASSED_OVER:
            self._passed_over.append(f"{text} ({_PASSED_OVER[cls]})" if text else _PASSED_OVER[cls])
        return text, self._value(cls, shape, rest, depth)

    def _value(self, cls: int, shape: tuple[int, ...], parts: list[tuple[int, memoryview]], depth: int) -> Any:
        if cls == _CELL:
            return [self.matrix(data, depth + 1)[1] for kind, data in parts if kind == _MATRIX]
        if cls == _STRUCT and len(parts) >= 2:
            (_, length), (_, names), *fields = parts
            width = int(np.frombuffer(length[:4], f"{self._order}i4")[0]) if len(length) >= 4 else 0
            if not 0 < width <= len(names) or len(names) > width * _MAX_FIELDS:
                raise DamagedMatError("a structure has no names")
            keys = [bytes(names[i : i + width]).partition(b"\0")[0] for i in range(0, len(names), width)]
            values = [self.matrix(data, depth + 1)[1] for kind, data in fields if kind == _MATRIX]
            rows = [values[i : i + len(keys)] for i in range(0, len(values), len(keys))]
            dicts = [{key.decode("latin-1"): value for key, value in zip(keys, row, strict=False)} for row in rows]
            return dicts[0] if len(dicts) == 1 else dicts
        if not parts or (cls <= _SPARSE and cls != _CHAR):
            return None
        array = self._array(*parts[0], shape)
        if cls != _CHAR:
            return array
        if array.size == 0:
            return ""
        rows = array.reshape(shape[0], -1)[:100, :200].astype(np.uint32).tolist()
        texts = ["".join(chr(code) for code in row if code < 0x10000).rstrip() for row in rows]
        return texts[0] if len(texts) == 1 else texts

    def _array(self, kind: int, data: memoryview, shape: tuple[int, ...]) -> NDArray[Any]:
        if kind not in _DTYPES:
            raise DamagedMatError(f"its numbers have the unknown type {kind}")
        dtype: np.dtype[Any] = np.dtype(self._order + _DTYPES[kind])
        if math.prod(shape) * dtype.itemsize != len(data):
            raise DamagedMatError(
                f"a matrix of shape {shape} needs {math.prod(shape)} numbers, but has {len(data)} bytes"
            )
        return np.frombuffer(data, dtype).reshape(shape, order="F").astype(dtype.newbyteorder("="), copy=False)


def _take(parts: Iterator[tuple[int, memoryview]], n: int) -> list[tuple[int, memoryview]]:
    result = [part for _, part in zip(range(n), parts, strict=False)]
    if len(result) < n:
        raise DamagedMatError("a matrix has no shape or no name")
    return result
