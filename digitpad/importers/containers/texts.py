"""Weights as text: JSON, and tables of numbers."""

import csv
import io
import json
import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.errors import WeightsError
from digitpad.importers.containers.tensor_tree import MAX_NUMBERS, TensorTree

MAX_TEXT_BYTES = 48 * 2**20
_MAX_ROWS = 100_000
_MAX_ROW_BYTES = 8 * 2**20  # which take twenty times the memory while they are read
_MAX_LISTS = 400_000  # each takes some 100 bytes of memory, and 2 in the file


def read_json(path: Path, content: bytes) -> TensorTree:
    """Whatever lists of numbers a JSON file holds.

    Raises
    ------
    WeightsError
        If it is not JSON, or holds more than weights would.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise WeightsError(path, f"is larger than the {MAX_TEXT_BYTES // 2**20} MiB of JSON that are read")
    n_lists = content.count(b"[") + content.count(b"{") + content.count(b'"')
    if n_lists > _MAX_LISTS or content.count(b",") > MAX_NUMBERS // 2:
        raise WeightsError(path, "holds more lists, texts or numbers than weights would")
    try:
        tree = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, f"is not JSON ({str(error)[:100]})") from error
    contents = TensorTree(path, "JSON")
    contents.add("", tree)
    return contents


def looks_like_table(content: bytes) -> bool:
    """Whether the beginning of a file is text of the kind that tables of numbers are."""
    return (
        bool(re.search(rb"[0-9]", content[:4096]))
        and not re.search(rb"[^\t\n\r -~\xef\xbb\xbf]", content[:4096])
        and b"\0" not in content
    )


def read_table(path: Path, content: bytes) -> TensorTree:
    """One matrix or vector: numbers in rows, apart by commas, semicolons, tabs or blanks; names above or beside them.

    Raises
    ------
    WeightsError
        If it is no table of numbers.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise WeightsError(path, f"is larger than the {MAX_TEXT_BYTES // 2**20} MiB of text that are read")
    if content.count(b"\n") > _MAX_ROWS:
        raise WeightsError(path, f"has more than {_MAX_ROWS:,} rows")
    if max(map(len, content.split(b"\n"))) > _MAX_ROW_BYTES:
        raise WeightsError(path, f"has a row of more than {_MAX_ROW_BYTES // 2**20} MiB")
    text = content.decode("utf-8-sig", "replace")
    head = text[:65536].splitlines() or [""]
    first = next((line for line in head if line.strip() and not line.startswith("#")), "")
    delimiter = next((mark for mark in ",;\t" if mark in first), None)
    rows_named, columns_named = _names(next(csv.reader([first], delimiter=delimiter or " ")), head)
    lines = io.StringIO(text, newline=None)
    if columns_named:
        while (line := lines.readline()) and line.strip() != first.strip():
            pass
    table = _numbers(path, lines, delimiter, skip_first=rows_named)
    contents = TensorTree(path, "a table")
    contents.add(path.stem, table)
    return contents


def _names(first: list[str], head: list[str]) -> tuple[bool, bool]:
    """Whether rows begin with their number, and whether the first line holds the columns' names, as pandas writes."""
    numbered = [word.strip() for word in first[1:]] == [str(i) for i in range(len(first) - 1)] and len(first) > 1
    if first and not first[0].strip() and len(first) > 1:
        return True, True
    whole = [word.strip() for word in first] == [str(i) for i in range(len(first))] and len(head) > 1
    named = any(re.search("[A-Za-z]", re.sub("(?i)nan|inf|e", "", word)) for word in first)
    return numbered and named, (whole and len(first) > 1) or named


def _numbers(path: Path, lines: io.StringIO, delimiter: str | None, *, skip_first: bool) -> NDArray[np.float64]:
    def without_first() -> object:
        for line in lines:
            yield line.partition(delimiter or " ")[2]

    source = without_first() if skip_first else lines
    try:
        with warnings.catch_warnings(action="ignore"):  # of a table without rows
            table = np.loadtxt(source, delimiter=delimiter, ndmin=2)  # type: ignore[call-overload]
    except ValueError as error:
        raise WeightsError(path, f"is no table of numbers ({str(error)[:100]})") from error
    if table.size == 0:
        raise WeightsError(path, "is a table without numbers")
    numbers: NDArray[np.float64] = table[0] if 1 in table.shape and len(table) == 1 else table
    return numbers
