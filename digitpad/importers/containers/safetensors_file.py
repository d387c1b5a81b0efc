"""Safetensors: a length, a header in JSON, and the numbers; read by hand, for the format is that small."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from digitpad.errors import WeightsError
from digitpad.importers.containers.tensor_tree import MAX_ARRAYS, TensorTree

MAX_HEADER_BYTES = 2**20

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
    "BOOL": "|b1",
}


def is_safetensors(content: bytes) -> bool:
    """Whether it begins as such a file does."""
    return len(content) > 8 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8


def read_safetensors(path: Path, content: bytes) -> TensorTree:
    """Every tensor by its name, and the texts of ``__metadata__``.

    Raises
    ------
    WeightsError
        If the header is not what it should be, or a tensor does not lie within the file as it says.
    """
    length = int.from_bytes(content[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise WeightsError(path, f"has a header of {length} bytes; at most {MAX_HEADER_BYTES} are read")
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, "begins as safetensors do, but its header is not JSON") from error
    contents = TensorTree(path, "safetensors")
    if len(header) > MAX_ARRAYS:
        raise WeightsError(path, f"holds more than {MAX_ARRAYS} arrays")
    contents.add("", header.pop("__metadata__", {}))
    numbers = memoryview(content)[8 + length :]
    for name, entry in sorted(header.items(), key=_place):
        contents.add(name[:200], _tensor(path, name, entry, numbers))
    return contents


def _place(item: tuple[str, Any]) -> int:
    match item[1]:
        case {"data_offsets": [int() as begin, int()]}:
            return begin
    return 0


def _tensor(path: Path, name: str, entry: Any, numbers: memoryview) -> Any:
    match entry:
        case {"dtype": str() as kind, "shape": [*shape], "data_offsets": [int() as begin, int() as end]}:
            sizes = tuple(shape)
        case _:
            raise WeightsError(path, f"says of {name[:80]!r} not where it lies, in which shape and type")
    if not all(type(size) is int and 0 <= size < 2**40 for size in sizes) or len(sizes) > 8:
        raise WeightsError(path, f"says that {name[:80]!r} has a shape that cannot be")
    if kind == "BF16":  # the upper half of a float32
        halves = _checked(path, name, numbers[max(begin, 0) : end], sizes, np.dtype("<u2"), end - begin)
        return (halves.astype(np.uint32) << 16).view(np.float32)
    if kind not in DTYPES:
        return f"{name} of type {kind}"
    return _checked(path, name, numbers[max(begin, 0) : end], sizes, np.dtype(DTYPES[kind]), end - begin)


def _checked(
    path: Path, name: str, content: memoryview, sizes: tuple[int, ...], dtype: np.dtype[Any], n_bytes: int
) -> Any:
    expected = math.prod(sizes) * dtype.itemsize
    if expected != len(content) or expected != n_bytes:
        raise WeightsError(
            path, f"{name[:80]!r} of shape {sizes} needs {expected} bytes, but its place in the file has {len(content)}"
        )
    return np.frombuffer(content, dtype).reshape(sizes)
