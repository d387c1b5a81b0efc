"""What a stranger's file holds, whatever its format: named arrays, numbers and words, in the order of the file."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.formats.npy import BUDGET_BYTES

MAX_NUMBERS = 8 * 2**20
"""Of lists of numbers, which take several times an array's room."""

DATA_HINT = (
    "data to train on comes as an .npz or a pickle of x_train, y_train, x_test and y_test, a pickle of pairs of images "
    "and labels, IDX files, a CSV or images"
)
"""What to say of files that hold digits to train on, in a format in which they are not read."""

MAX_ARRAYS = 2000
MAX_BYTES = BUDGET_BYTES * 3 // 2
MAX_WORDS = 2000
_MAX_DEPTH = 40
_LOOKS = 12 * 2**20
_LOOKS_A_THING = 40
_LOOKS_A_LIST = 3
_MAX_NAME = 200


@dataclass
class LookBudget:
    """A budget of looks at what a file holds, each as long as that at a number in a list.

    What is in a file once can be referred to many times, so that its bytes do not pay for them.
    """

    left: int = _LOOKS

    def spend(self, n: int) -> None:
        """Take so many.

        Raises
        ------
        _TooManyLooksError
        """
        self.left -= n
        if self.left < 0:
            raise _TooManyLooksError


class _TooManyLooksError(Exception):
    """There are no more looks."""


@dataclass(frozen=True, eq=False)
class TensorTree:
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
    looks : Looks
        What is left of the looks at what it holds.
    """

    path: Path
    kind: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    words: list[tuple[str, str]] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    looks: LookBudget = field(default_factory=LookBudget)
    _copies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, name: str, tree: Any) -> None:
        """Put in what ``tree`` holds: dicts, lists, arrays, numbers, texts, and `StandIn` for anything else.

        Raises
        ------
        WeightsError
            If there is too much of it.
        """
        try:
            self._add(name, tree)
        except _TooManyLooksError as error:
            raise WeightsError(self.path, "holds more lists and numbers than weights would") from error

    def _add(self, name: str, tree: Any) -> None:
        seen: dict[int, Any] = {}  # an object is taken once, however often it is referred to; it is kept, with its id
        # What many refer to is listed by each of them, so each is asked for its next part alone.
        waiting = [("", iter([(name, tree)]))]
        while waiting:
            outer, parts = waiting[-1]
            for key, node in parts:
                self.looks.spend(_LOOKS_A_THING)
                if id(node) in seen:
                    continue
                inner = _joined(outer, key)
                if (within := _parts(node)) is None:
                    self._add_leaf(inner, node)
                    continue
                seen[id(node)] = node
                if len(waiting) > _MAX_DEPTH + 1:
                    raise WeightsError(self.path, f"is nested more than {_MAX_DEPTH} deep")
                if isinstance(node, list | tuple) and (array := array_of(node, self.looks)) is not None:
                    self._add_array(inner, array)
                    continue
                waiting.append((inner, iter(within)))
                break
            else:
                waiting.pop()

    def _add_leaf(self, name: str, node: Any) -> None:
        if isinstance(node, np.ndarray):
            self._add_array(name, node)
        elif isinstance(node, bool | int | float):
            number = float(node) if -1e300 < node < 1e300 else math.inf
            self.numbers[self._free(name, "numbers")] = number
        elif isinstance(node, str) and len(self.words) < MAX_WORDS:
            self.words.append((name[-_MAX_NAME:], node[:_MAX_NAME]))

    def _add_array(self, name: str, array: NDArray[Any]) -> None:
        if array.dtype.kind not in "fiub" or array.size == 0:
            return
        if array.ndim == 0:
            self.numbers[self._free(name, "numbers")] = float(array)
            return
        if len(self.arrays) >= MAX_ARRAYS:
            raise WeightsError(self.path, f"holds more than {MAX_ARRAYS} arrays")
        # Many a turned view of one storage is a copy each.
        if sum(one.nbytes for one in self.arrays.values()) + array.nbytes > MAX_BYTES:
            raise WeightsError(self.path, f"holds more than {MAX_BYTES // 2**20} MiB of numbers")
        self.arrays[self._free(name or "array", "arrays")] = array

    def _free(self, name: str, kind: Literal["arrays", "numbers"]) -> str:
        """The name, or where it is taken, another; each that is taken is tried once."""
        taken: Mapping[str, Any] = getattr(self, kind)
        free = name
        while free in taken:
            self._copies[kind, name] += 1
            free = f"{name}#{self._copies[kind, name] + 1}"
        return free


class StandIn(Protocol):
    """What stands in a tree for something that is not built: it says what is known of it."""

    def parts(self) -> Iterable[tuple[str, Any]]:
        """Names and values, one by one where they are many; a name may be empty."""


def _parts(node: Any) -> Iterable[tuple[str, Any]] | None:
    """What is in a node, by name; None for what has nothing in it."""
    if isinstance(node, dict):
        return ((str(key)[:_MAX_NAME], value) for key, value in node.items())
    if isinstance(node, list | tuple):
        return ((str(i), value) for i, value in enumerate(node))
    # Six times as fast as to ask whether it is an instance of the protocol.
    stand_in: StandIn | None = node if hasattr(node, "parts") else None
    return None if stand_in is None else stand_in.parts()


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}".strip(".")[-_MAX_NAME:]


def array_of(rows: Sequence[Any], looks: LookBudget) -> NDArray[np.float64] | None:
    """Lists of numbers, of up to four dimensions and rectangular, as an array; None for anything else.

    Lists may be shared, so that a small file stands for a gigantic array, or for many that nearly are one: the size is
    known before it is built, and what is looked at is spent, whatever comes of it.
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
        looks.spend(_LOOKS_A_LIST * sum(map(len, level)))
        level = list(itertools.chain.from_iterable(level))
        if not all(isinstance(row, list | tuple) and len(row) == size for row in level):
            return None
    looks.spend(math.prod(shape))
    if not {float, int, bool}.issuperset(map(type, itertools.chain.from_iterable(level))):
        return None
    try:
        return np.fromiter(itertools.chain.from_iterable(level), np.float64, math.prod(shape)).reshape(shape)
    except OverflowError:  # an integer beyond every float
        return None
