"""Reader of text files whose lines hold different numbers of numbers, as programs in C and small scripts write them.

Lines of the same length that follow each other are a matrix, and a single line is a vector. A line of two whole
numbers may state the rows and columns of the matrix that follows. Any other line is text: a heading, or the sizes of
the layers.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.importers.containers.tensor_tree import MAX_ARRAYS, TensorTree

_SEPARATORS = str.maketrans(",;\t[](){}|", " " * 10)
_MAX_HEADINGS = 200
_MAX_HEADING = 200
_NUMBER = re.compile(r"(?<![\w.])\d{1,6}(?![\w.])")
_N_PIXELS = 784


def read_number_lines(path: Path, text: str) -> TensorTree:
    """Read the matrices and vectors in a text file, named by their headings or numbered, and its headings as texts.

    Raises
    ------
    WeightsError
        If the file has more text than numbers, or too many matrices.
    """
    tensor_tree = TensorTree(path, "a table")
    blocks = _Blocks(path)
    n_text = n_numbers = 0
    for line in text.splitlines():
        if not line.strip():
            blocks.close()
            continue
        row = _numbers(line)
        if row is None:
            n_text += 1
            if n_text > _MAX_HEADINGS + n_numbers:
                raise WeightsError(path, "is text with few numbers, not weights")
            blocks.head(line)
            if n_text <= _MAX_HEADINGS:
                tensor_tree.words.append(("header", line.strip()[:_MAX_HEADING]))
                sizes = [int(number) for number in _NUMBER.findall(line)]
                if _N_PIXELS in sizes and len(sizes) >= 2:
                    tensor_tree.add("sizes", np.array(sizes[sizes.index(_N_PIXELS) :], np.float64))
        else:
            n_numbers += 1
            blocks.add(row)
    blocks.close()
    for name, array in blocks.named:
        tensor_tree.add(name, array)
    if not tensor_tree.arrays:
        raise WeightsError(path, "is a text without numbers, not weights")
    return tensor_tree


def _numbers(line: str) -> NDArray[np.float64] | None:
    """Return the numbers of a line, or None if it holds anything else."""
    try:
        with warnings.catch_warnings(action="error"):
            row = np.fromstring(line.translate(_SEPARATORS), np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    return row if row.size else None


@dataclass
class _Blocks:
    """Rows that are gathered into matrices."""

    path: Path
    named: list[tuple[str, NDArray[Any]]] = field(default_factory=list)
    _rows: list[NDArray[np.float64]] = field(default_factory=list)
    _shape: tuple[int, int] | None = None  # as a line before the rows states it
    _heading: str = ""

    def head(self, line: str) -> None:
        """Start a matrix with a heading, which may state its shape."""
        self.close()
        self._heading = "_".join(re.findall(r"[A-Za-z]+\d*", line))[:60]
        sizes = [int(number) for number in _NUMBER.findall(line)]
        self._shape = (sizes[0], sizes[1]) if len(sizes) == 2 else None

    def add(self, row: NDArray[np.float64]) -> None:
        """Add a row to the matrix, or start another matrix."""
        if self._rows and row.size != self._rows[0].size:
            self.close()
        if not self._rows and row.size == 2 and (row % 1 == 0).all() and (row >= 1).all() and row.max() < 2**31:
            self.close()
            self._shape = int(row[0]), int(row[1])
            return
        self._rows.append(row)
        if self._shape is not None and self._is_complete(self._shape):
            self.close()

    def close(self) -> None:
        """Finish the matrix."""
        if self._rows:
            array = np.stack(self._rows) if len(self._rows) > 1 else self._rows[0]
            if self._shape is not None and array.size == self._shape[0] * self._shape[1]:
                array = array.reshape(self._shape)
        elif self._shape is not None and not self._heading:
            array = np.array(self._shape, np.float64)  # these two numbers were no sizes
        else:
            return
        if len(self.named) >= MAX_ARRAYS:
            raise WeightsError(self.path, f"holds too many matrices; the limit is {MAX_ARRAYS:,}")
        self.named.append((self._heading or f"lines.{len(self.named)}", array))
        self._rows, self._shape, self._heading = [], None, ""

    def _is_complete(self, shape: tuple[int, int]) -> bool:
        return len(self._rows) * self._rows[0].size >= shape[0] * shape[1]
