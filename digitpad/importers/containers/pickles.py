"""Readers of pickled weights, alone or within other files."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitpad.errors import WeightsError
from digitpad.formats import safe_pickle
from digitpad.formats.progress import ProgressCallback


def read_pickle(path: Path, content: bytes, tell: ProgressCallback) -> Any:
    """Return the tree of plain values, arrays and placeholders that a pickle describes.

    Raises
    ------
    WeightsError
        If the pickle is damaged, claims more data than it has, or exceeds the limit of instructions.
    """
    return read_pickles(path, io.BytesIO(content), tell)[0]


def read_pickles(
    path: Path, file: io.BytesIO, tell: ProgressCallback, count: int = 1, persistent: Callable[[Any], Any] | None = None
) -> list[Any]:
    """Return the trees of ``count`` consecutive pickles; ``persistent`` resolves the IDs of objects outside of them.

    Raises
    ------
    WeightsError
        As for `read_pickle`. Exceptions of ``persistent`` and ``tell`` are passed on.
    """
    try:
        return safe_pickle.read_pickles(file, count, persistent, tell=tell)
    except ValueError as error:
        raise WeightsError(path, str(error)) from error
