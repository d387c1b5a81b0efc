"""One array in NumPy's own format, with a header that may lie."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError

BUDGET_BYTES = 64 * 2**20
"""What all arrays of a file may take together: 16 million float32 parameters."""

# Just what NumPy itself writes for an array of one simple type; Python 2 wrote sizes as 784L.
_HEADER = re.compile(
    rb"\{'descr': '([<>|=]?[biufOUS][0-9]{0,6})', 'fortran_order': (True|False), "
    rb"'shape': \(([0-9L, ]{0,200})\), ?\} *\n?"
)
_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")


def read_npy(
    path: Path,
    what: str,
    file: IO[bytes],
    budget: int = BUDGET_BYTES,
    read_objects: Callable[[bytes], Any] | None = None,
) -> NDArray[Any] | Any:
    """One array in NumPy's format (version 1, 2 or 3), no larger than ``budget``, in native byte order.

    Parameters
    ----------
    path, what
        Which file, and what of it, for errors.
    file : binary file
        Read to its end.
    budget : int
    read_objects : callable, optional
        Given the pickle that stands for an array of Python objects, and returns what is made of it. Without it, such
        arrays and those of texts are refused.

    Raises
    ------
    WeightsError
        If it is not such an array, or holds less or more than its header says.
    """
    prefix = file.read(8)
    if len(prefix) < 8 or prefix[:6] != b"\x93NUMPY" or prefix[6] not in (1, 2, 3):
        raise WeightsError(path, f"{what} is not in NumPy's format")
    length = int.from_bytes(file.read(2 if prefix[6] == 1 else 4), "little")
    header = _HEADER.fullmatch(file.read(length)) if length <= 1000 else None
    descr = header[1].decode() if header else ""
    if header is None or (read_objects is None and not _NUMBERS.fullmatch(descr)):
        raise WeightsError(path, f"{what} is not a plain array of numbers")
    if "O" in descr and read_objects is not None:
        content = file.read(budget + 1)
        if len(content) > budget:
            raise WeightsError(path, f"{what} takes more than {mebibytes(BUDGET_BYTES)}")
        return read_objects(content)
    try:
        dtype = np.dtype(descr)
        shape = tuple(int(size) for size in re.sub("[L ]", "", header[3].decode()).split(",") if size)
    except (TypeError, ValueError) as error:
        raise WeightsError(path, f"{what} is not a plain array of numbers") from error
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > budget or len(shape) > 8:
        raise WeightsError(path, f"{what} claims the shape {shape}; with it, more would be needed than may be taken")
    content = file.read(n_bytes + 1)
    if len(content) != n_bytes:
        found = "more" if len(content) > n_bytes else f"only {len(content)}"
        raise WeightsError(path, f"{what} of shape {shape} needs {n_bytes} bytes, but there are {found}")
    if dtype.itemsize == 0:
        return []
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if header[2] == b"True" else "C")
    if dtype.kind in "US":
        return array.ravel()[:200].tolist() if shape else array.item()
    return array.astype(dtype.newbyteorder("="), copy=False)


def mebibytes(n_bytes: int) -> str:
    """A number of bytes, for people."""
    return f"{n_bytes // 2**20} MiB"
