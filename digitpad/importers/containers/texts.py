"""Readers of weights in text files: JSON and tables of numbers."""

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
_MAX_ROW_BYTES = 8 * 2**20  # reading a row takes twenty times its size in memory
_MAX_LISTS = 400_000  # each takes about 100 bytes of memory, but only 2 in the file


def read_json(path: Path, content: bytes) -> TensorTree:
    """Read the numbers, lists and texts in a JSON file.

    Raises
    ------
    WeightsError
        If the file is not JSON, or exceeds a limit.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise WeightsError(path, f"is too large; the limit for JSON is {MAX_TEXT_BYTES // 2**20} MiB")
    n_lists = content.count(b"[") + content.count(b"{") + content.count(b'"')
    if n_lists > _MAX_LISTS or content.count(b",") > MAX_NUMBERS // 2:
        raise WeightsError(path, "holds too many lists, texts or numbers for a network")
    try:
        tree = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(path, f"is not JSON ({str(error)[:100]})") from error
    tensor_tree = TensorTree(path, "JSON")
    tensor_tree.add("", tree)
    return tensor_tree


def looks_like_table(content: bytes) -> bool:
    """Return whether a file starts with text that may be a table of numbers: ASCII characters with a digit."""
    return (
        bool(re.search(rb"[0-9]", content[:4096]))
        and not re.search(rb"[^\t\n\r -~\xef\xbb\xbf]", content[:4096])
        and b"\0" not in content
    )


def read_table(path: Path, content: bytes) -> TensorTree:
    """Read one matrix or vector from rows of numbers, separated by commas, semicolons, tabs or spaces.

    Rows and columns may have names.

    Raises
    ------
    WeightsError
        If the file is not a table of numbers, or exceeds a limit.
    """
    if len(content) > MAX_TEXT_BYTES:
        raise WeightsError(path, f"is too large; the limit for text is {MAX_TEXT_BYTES // 2**20} MiB")
    if content.count(b"\n") > _MAX_ROWS:
        raise WeightsError(path, f"has too many rows; the limit is {_MAX_ROWS:,}")
    if max(map(len, content.split(b"\n"))) > _MAX_ROW_BYTES:
        raise WeightsError(path, f"has a row that is too long; the limit is {_MAX_ROW_BYTES // 2**20} MiB")
    text = content.decode("utf-8-sig", "replace")
    head = text[:65536].splitlines() or [""]
    first = next((line for line in head if line.strip() and not line.startswith("#")), "")
    delimiter = next((mark for mark in ",;\t" if mark in first), None)
    rows_named, columns_named = _detect_headers(next(csv.reader([first], delimiter=delimiter or " ")), head)
    lines = io.StringIO(text, newline=None)
    if columns_named:
        while (line := lines.readline()) and line.strip() != first.strip():
            pass
    table = _parse_numbers(path, lines, delimiter, skip_first=rows_named)
    tensor_tree = TensorTree(path, "a table")
    tensor_tree.add(path.stem, table)
    return tensor_tree


def _detect_headers(first: list[str], head: list[str]) -> tuple[bool, bool]:
    """Return whether each row starts with its index, and whether the first line names the columns, as pandas writes."""
    numbered = [word.strip() for word in first[1:]] == [str(i) for i in range(len(first) - 1)] and len(first) > 1
    if first and not first[0].strip() and len(first) > 1:
        return True, True
    counted = [word.strip() for word in first] == [str(i) for i in range(len(first))] and len(head) > 1
    named = any(re.search("[A-Za-z]", re.sub("(?i)nan|inf|e", "", word)) for word in first)
    return numbered and named, (counted and len(first) > 1) or named


def _parse_numbers(path: Path, lines: io.StringIO, delimiter: str | None, *, skip_first: bool) -> NDArray[np.float64]:
    def lines_without_first() -> object:
        for line in lines:
            yield line.partition(delimiter or " ")[2]

    source = lines_without_first() if skip_first else lines
    try:
        with warnings.catch_warnings(action="ignore"):  # a table without rows, which is refused below
            table = np.loadtxt(source, delimiter=delimiter, ndmin=2)  # type: ignore[call-overload]
    except ValueError as error:
        raise WeightsError(path, f"is not a table of numbers ({str(error)[:100]})") from error
    if table.size == 0:
        raise WeightsError(path, "is a table without numbers")
    numbers: NDArray[np.float64] = table[0] if 1 in table.shape and len(table) == 1 else table
    return numbers
