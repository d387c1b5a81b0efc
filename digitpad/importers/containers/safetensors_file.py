"""Reader of safetensors files: a length, a JSON header and the numbers."""

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
    """Return whether a file starts like a safetensors file."""
    return len(content) > 8 and content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content) - 8


def read_safetensors(path: Path, content: bytes) -> TensorTree:
    """Read every named tensor, and the texts of ``__metadata__``.

    Raises
    ------
    WeightsError
        If the header is invalid, or a tensor does not fit its stated place in the file.
    """
    length = int.from_bytes(content[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise WeightsError(
            path, f"has a header of {length:,} bytes, which is too large; the limit is {MAX_HEADER_BYTES:,}"
        )
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, "is a damaged safetensors file: its header is not JSON") from error
    tensor_tree = TensorTree(path, "safetensors")
    if len(header) > MAX_ARRAYS:
        raise WeightsError(path, f"holds too many arrays; the limit is {MAX_ARRAYS:,}")
    tensor_tree.add("", header.pop("__metadata__", {}))
    numbers = memoryview(content)[8 + length :]
    for name, entry in sorted(header.items(), key=_offset):
        tensor_tree.add(name[:200], _tensor(path, name, entry, numbers))
    return tensor_tree


def _offset(item: tuple[str, Any]) -> int:
    match item[1]:
        case {"data_offsets": [int() as begin, int()]}:
            return begin
    return 0


def _tensor(path: Path, name: str, entry: Any, numbers: memoryview) -> Any:
    match entry:
        case {"dtype": str() as kind, "shape": [*shape], "data_offsets": [int() as begin, int() as end]}:
            sizes = tuple(shape)
        case _:
            raise WeightsError(
                path, f"is damaged: its header does not state the type, shape and place of {name[:80]!r}"
            )
    if not all(type(size) is int and 0 <= size < 2**40 for size in sizes) or len(sizes) > 8:
        raise WeightsError(path, f"is damaged: {name[:80]!r} has an impossible shape")
    if kind == "BF16":  # bfloat16, the upper half of a float32
        halves = _checked_array(path, name, numbers[max(begin, 0) : end], sizes, np.dtype("<u2"), end - begin)
        return (halves.astype(np.uint32) << 16).view(np.float32)
    if kind not in DTYPES:
        return f"{name} of type {kind}"
    return _checked_array(path, name, numbers[max(begin, 0) : end], sizes, np.dtype(DTYPES[kind]), end - begin)


def _checked_array(
    path: Path, name: str, content: memoryview, sizes: tuple[int, ...], dtype: np.dtype[Any], n_bytes: int
) -> Any:
    expected = math.prod(sizes) * dtype.itemsize
    if expected != len(content) or expected != n_bytes:
        raise WeightsError(
            path, f"is damaged: {name[:80]!r} of shape {sizes} needs {expected} bytes, but has {len(content)}"
        )
    return np.frombuffer(content, dtype).reshape(sizes)
