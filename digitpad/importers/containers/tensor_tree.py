"""Contents of an imported file of any format: named arrays, numbers and texts, in file order."""

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
from digitpad.importers.layout.stated_network import StatedNetwork

MAX_NUMBERS = 8 * 2**20
"""Maximum number of elements in a list of numbers; a list takes several times the memory of an array."""

DATA_HINT = (
    "datasets must be an .npz or a pickle of x_train, y_train, x_test and y_test, a pickle of pairs of images and "
    "labels, IDX files, a CSV file or images"
)
"""Hint for errors about files that hold a dataset in an unsupported format."""

MAX_ARRAYS = 2000
MAX_BYTES = BUDGET_BYTES * 3 // 2
MAX_WORDS = 2000
_MAX_DEPTH = 40
_MAX_LOOKS = 12 * 2**20
_LOOKS_PER_OBJECT = 40
_LOOKS_PER_LIST = 3
_MAX_NAME = 200


@dataclass
class LookBudget:
    """Budget of visits to the objects in a file; one visit takes as long as reading one number in a list.

    An object that is stored once can be referenced many times, so the file size does not limit the work.
    """

    left: int = _MAX_LOOKS

    def spend(self, n: int) -> None:
        """Subtract ``n`` visits from the budget.

        Raises
        ------
        _TooManyLooksError
            If the budget is exceeded.
        """
        self.left -= n
        if self.left < 0:
            raise _TooManyLooksError


class _TooManyLooksError(Exception):
    """Error about an exhausted `LookBudget`."""


@dataclass(frozen=True, eq=False)
class TensorTree:
    """Contents of a file, or of several files that belong together.

    Attributes
    ----------
    path : Path
    kind : str
        File type with its article, such as ``a pickle``.
    arrays : dict of ndarray
        Arrays by their path in the file, such as ``layers.0.weights``. They hold bools, integers or floats and have at
        least one dimension.
    numbers : dict of float
        Single numbers by their path in the file.
    words : list of (str, str)
        Paths and values of texts and of the names of classes and functions.
    passed_over : list of str
        Names and types of skipped items.
    looks : LookBudget
        Remaining budget of visits.
    stated : list of StatedNetwork
        The network, if the file states its layers.
    """

    path: Path
    kind: str
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    words: list[tuple[str, str]] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    looks: LookBudget = field(default_factory=LookBudget)
    stated: list[StatedNetwork] = field(default_factory=list)
    _copies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, name: str, tree: Any) -> None:
        """Add the contents of ``tree``: dicts, lists, arrays, numbers, texts, and `StandIn` for anything else.

        Raises
        ------
        WeightsError
            If the contents exceed a limit.
        """
        try:
            self._add(name, tree)
        except _TooManyLooksError as error:
            raise WeightsError(self.path, "holds too many lists and numbers for a network") from error

    def _add(self, name: str, tree: Any) -> None:
        seen: dict[int, Any] = {}  # each object is added once; keeping it reserves its id
        # Parts are listed lazily, because a shared object would otherwise be listed for each reference.
        stack = [("", iter([(name, tree)]))]
        while stack:
            prefix, parts = stack[-1]
            for key, node in parts:
                self.looks.spend(_LOOKS_PER_OBJECT)
                if id(node) in seen:
                    continue
                path = _joined(prefix, key)
                if (children := _parts(node)) is None:
                    self._add_leaf(path, node)
                    continue
                seen[id(node)] = node
                if len(stack) > _MAX_DEPTH + 1:
                    raise WeightsError(self.path, f"is nested more than {_MAX_DEPTH} deep")
                if isinstance(node, list | tuple) and (array := array_of(node, self.looks)) is not None:
                    self._add_array(path, array)
                    continue
                stack.append((path, iter(children)))
                break
            else:
                stack.pop()

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
            raise WeightsError(self.path, f"holds too many arrays; the limit is {MAX_ARRAYS:,}")
        # Transposed views of one storage are copies, so the file size does not limit their total.
        if sum(other.nbytes for other in self.arrays.values()) + array.nbytes > MAX_BYTES:
            raise WeightsError(self.path, f"holds too many numbers; the limit is {MAX_BYTES // 2**20} MiB")
        self.arrays[self._free(name or "array", "arrays")] = array

    def _free(self, name: str, kind: Literal["arrays", "numbers"]) -> str:
        """Return the name, or if it is taken, the name with a number; the counter avoids trying a number twice."""
        taken: Mapping[str, Any] = getattr(self, kind)
        free = name
        while free in taken:
            self._copies[kind, name] += 1
            free = f"{name}#{self._copies[kind, name] + 1}"
        return free


class StandIn(Protocol):
    """Placeholder in a tree for an object that is not constructed."""

    def parts(self) -> Iterable[tuple[str, Any]]:
        """Return the names and values that are known of the object, lazily if there are many; a name may be empty."""


def _parts(node: Any) -> Iterable[tuple[str, Any]] | None:
    """Return the names and values in a node, or None for a leaf."""
    if isinstance(node, dict):
        return ((str(key)[:_MAX_NAME], value) for key, value in node.items())
    if isinstance(node, list | tuple):
        return ((str(i), value) for i, value in enumerate(node))
    # Six times as fast as isinstance with the protocol.
    stand_in: StandIn | None = node if hasattr(node, "parts") else None
    return None if stand_in is None else stand_in.parts()


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}".strip(".")[-_MAX_NAME:]


def array_of(rows: Sequence[Any], looks: LookBudget) -> NDArray[np.float64] | None:
    """Convert rectangular lists of numbers, of up to four dimensions, to an array; return None for anything else.

    Lists may be shared, so a small file can describe a huge array, or many lists that are almost arrays. Therefore the
    size is checked before the array is built, and every visit is charged to ``looks``, even if the result is None.
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
        looks.spend(_LOOKS_PER_LIST * sum(map(len, level)))
        level = list(itertools.chain.from_iterable(level))
        if not all(isinstance(row, list | tuple) and len(row) == size for row in level):
            return None
    looks.spend(math.prod(shape))
    if not {float, int, bool}.issuperset(map(type, itertools.chain.from_iterable(level))):
        return None
    try:
        return np.fromiter(itertools.chain.from_iterable(level), np.float64, math.prod(shape)).reshape(shape)
    except OverflowError:  # an integer too large for a float
        return None
