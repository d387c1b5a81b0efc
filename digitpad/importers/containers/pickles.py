"""Pickles of weights, which come by themselves and within other files."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitpad.errors import WeightsError
from digitpad.formats import safe_pickle

Tell = Callable[[], None]
"""Called now and then; what it raises ends the reading."""


def ignore_progress() -> None:
    """The `Tell` of who does not want to know."""


def read_pickle(path: Path, content: bytes, tell: Tell) -> Any:
    """The tree of plain values, arrays and stand-ins that a pickle describes.

    Raises
    ------
    WeightsError
        If it is damaged, asks for more than there is, or takes more instructions than weights would.
    """
    return read_pickles(path, io.BytesIO(content), tell)[0]


def read_pickles(
    path: Path, file: io.BytesIO, tell: Tell, count: int = 1, persistent: Callable[[Any], Any] | None = None
) -> list[Any]:
    """So many pickles, one after the other; what lies outside of them is asked for by ``persistent``.

    Raises
    ------
    WeightsError
        As `read_pickle` does, and what ``persistent`` and ``tell`` raise.
    """
    try:
        return safe_pickle.read_pickles(file, count, persistent, tell=tell)
    except ValueError as error:
        raise WeightsError(path, str(error)) from error
