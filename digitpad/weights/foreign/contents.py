"""What a stranger's file holds, whatever its format: named arrays, numbers and words, in the order of the file."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.weights.npy import BUDGET_BYTES

MAX_NUMBERS = 8 * 2**20
"""Of lists of numbers, which take several times an array's room."""

DATA_HINT = (
    "data to train on comes as an .npz or a pickle of x_train, y_train, x_test and y_test, IDX files, a CSV or images"
)
"""What to say of files that hold digits to train on, in a format in which they are not read."""

MAX_ARRAYS = 2000
MAX_BYTES = BUDGET_BYTES * 3 // 2
MAX_WORDS = 2000
_MAX_DEPTH = 40
_MAX_NODES = 300_000
_MAX_NAME = 200


@dataclass(frozen=True, eq=False)
class Contents:
    """What was found in a file, or in several that belong together.

    Attributes
    ----------
    path : Path
    kind : str
        What the file is, as in ``a pickle``.
    arrays : dict of ndarray
        By where in the file they lie, as in ``layers.0.weights``; of bools, integers or floats, one dimension at least.
    numbers : dict of float
        Single ones, likewise.
    words : list of (str, str)
        Where, and what: texts, and the names of classes and functions.
    passed_over : list of str
        What is there, but not read: a name and its kind.
    """

    path: Path
    kind: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    words: list[tuple[str, str]] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    def add(self, name: str, tree: Any) -> None:
        """Put in what ``tree`` holds: dicts, lists, arrays, numbers, texts, and `StandIn` for anything else.

        Raises
        ------
        WeightsError
            If there is too much of it.
        """
        seen: dict[int, Any] = {}  # an object is taken once, however often it is referred to; it is kept, with its id
        waiting = [(name, tree, 0)]
        for _ in range(_MAX_NODES):
            if not waiting:
                return
            name, node, depth = waiting.pop()
            if isinstance(node, (dict, list, tuple, StandIn)):
                if id(node) in seen:
                    continue
                seen[id(node)] = node
                if depth > _MAX_DEPTH:
                    raise WeightsError(self.path, f"is nested more than {_MAX_DEPTH} deep")
                if isinstance(node, list | tuple) and (array := array_of(node)) is not None:
                    self._add_array(name, array)
                else:
                    parts = [(_joined(name, key), part, depth + 1) for key, part in _parts(node)]
                    waiting += reversed(parts)
            else:
                self._add_leaf(name, node)
        raise WeightsError(self.path, f"holds more than {_MAX_NODES:,} things")

    def _add_leaf(self, name: str, node: Any) -> None:
        if isinstance(node, np.ndarray):
            self._add_array(name, node)
        elif isinstance(node, bool | int | float):
            number = float(node) if abs(node) < 1e300 else math.inf
            self.numbers[_free(name, self.numbers)] = number
        elif isinstance(node, str) and len(self.words) < MAX_WORDS:
            self.words.append((name[-_MAX_NAME:], node[:_MAX_NAME]))

    def _add_array(self, name: str, array: NDArray[Any]) -> None:
        if array.dtype.kind not in "fiub" or array.size == 0:
            return
        if array.ndim == 0:
            self.numbers[_free(name, self.numbers)] = float(array)
            return
        if len(self.arrays) >= MAX_ARRAYS:
            raise WeightsError(self.path, f"holds more than {MAX_ARRAYS} arrays")
        # Many a turned view of one storage is a copy each.
        if sum(one.nbytes for one in self.arrays.values()) + array.nbytes > MAX_BYTES:
            raise WeightsError(self.path, f"holds more than {MAX_BYTES // 2**20} MiB of numbers")
        self.arrays[_free(name or "array", self.arrays)] = array


@runtime_checkable
class StandIn(Protocol):
    """What stands in a tree for something that is not built: it says what is known of it."""

    def parts(self) -> Sequence[tuple[str, Any]]:
        """Names and values; a name may be empty."""


def _parts(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        yield from ((str(key)[:_MAX_NAME], value) for key, value in node.items())
    elif isinstance(node, list | tuple):
        yield from ((str(i), value) for i, value in enumerate(node))
    else:
        yield from node.parts()


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}".strip(".")[-_MAX_NAME:]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """The name, or where it is taken, another."""
    if name not in taken:
        return name
    return next(other for i in range(len(taken) + 1) if (other := f"{name}#{i + 2}") not in taken)


def array_of(rows: Sequence[Any]) -> NDArray[np.float64] | None:
    """Lists of numbers, of up to four dimensions and rectangular, as an array; None for anything else.

    Lists may be shared, so that a small file stands for a gigantic array: the size is known before it is built.
    """
    shape: list[int] = []
    first: Any = rows
    while isinstance(first, list | tuple) and len(shape) < 5:
        if not first:
            return None
        shape.append(len(first))
        first = first[0]
    if type(first) not in (int, float, bool) or len(shape) > 4 or math.prod(shape) > MAX_NUMBERS:
        return None
    level: list[Any] = [rows]
    for size in shape[1:]:
        level = [row for upper in level for row in upper]
        if not all(isinstance(row, list | tuple) and len(row) == size for row in level):
            return None
    array = np.empty((len(level), shape[-1]))
    try:
        for row, numbers in zip(array, level, strict=True):
            if not {float, int, bool}.issuperset(map(type, numbers)):
                return None
            row[:] = numbers
    except OverflowError:  # an integer beyond every float
        return None
    return array.reshape(shape)
