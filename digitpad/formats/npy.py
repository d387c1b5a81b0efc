"""Reader for NumPy's array format (``.npy``) that does not trust the header."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.formats.npy_header import read_header

BUDGET_BYTES = 64 * 2**20
"""Memory limit for all arrays of a file together: 16 million float32 parameters."""


def read_npy(
    path: Path,
    what: str,
    file: IO[bytes],
    budget: int = BUDGET_BYTES,
    read_objects: Callable[[bytes], Any] | None = None,
) -> NDArray[Any] | Any:
    """Read one array in NumPy's format (version 1, 2 or 3), of at most ``budget`` bytes, in native byte order.

    Parameters
    ----------
    path, what
        The file, and the name of the array in it, for error messages.
    file : binary file
        It is read to its end.
    budget : int
        Maximum size of the array in bytes.
    read_objects : callable, optional
        Receives the pickle of an array of Python objects and returns the value to use for it. Without this function,
        arrays of objects and arrays of strings are rejected.

    Raises
    ------
    WeightsError
        If the content is not an array of an accepted type, is too large, or is shorter or longer than its header says.
    """
    try:
        header = read_header(file)
    except ValueError as error:
        raise WeightsError(path, f"{what} {error}") from error
    dtype, shape, n_bytes = header.dtype, header.shape, header.n_bytes
    if read_objects is None and dtype.kind not in "biuf":
        raise WeightsError(path, f"{what} is not a plain array of numbers")
    if dtype.kind == "O" and read_objects is not None:
        content = file.read(budget + 1)
        if len(content) > budget:
            raise WeightsError(path, f"{what} is too large; the limit is {mebibytes(BUDGET_BYTES)}")
        return read_objects(content)
    if n_bytes > budget or len(shape) > 8:
        raise WeightsError(path, f"{what} claims the shape {shape}, which is too large")
    content = file.read(n_bytes + 1)
    if len(content) != n_bytes:
        found = "more" if len(content) > n_bytes else f"only {len(content)}"
        raise WeightsError(path, f"{what} of shape {shape} needs {n_bytes} bytes, but there are {found}")
    if dtype.itemsize == 0:
        return []
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if header.by_columns else "C")
    if dtype.kind in "US":
        return array.ravel()[:200].tolist() if shape else array.item()
    return array.astype(dtype.newbyteorder("="), copy=False)


def mebibytes(n_bytes: int) -> str:
    """Return a number of bytes as text, rounded down to whole MiB."""
    return f"{n_bytes // 2**20} MiB"
