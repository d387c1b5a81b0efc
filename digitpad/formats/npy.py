"""One array in NumPy's own format, with a header that may lie."""

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.formats.npy_header import read_header

BUDGET_BYTES = 64 * 2**20
"""What all arrays of a file may take together: 16 million float32 parameters."""


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
            raise WeightsError(path, f"{what} takes more than {mebibytes(BUDGET_BYTES)}")
        return read_objects(content)
    if n_bytes > budget or len(shape) > 8:
        raise WeightsError(path, f"{what} claims the shape {shape}; with it, more would be needed than may be taken")
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
    """A number of bytes, for people."""
    return f"{n_bytes // 2**20} MiB"
