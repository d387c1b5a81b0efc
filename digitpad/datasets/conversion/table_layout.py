"""Layout of tables with a row per image: which columns are pixels, and which hold the label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import MAX_CLASSES
from digitpad.datasets.conversion.pixels import Pixels
from digitpad.datasets.digits import MIN_SIDE, SIDE, Labels, RawPart, ReaderResult, check_count
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError

MAX_SIDE = 64
MAX_COLUMNS = MAX_SIDE**2 + MAX_CLASSES + 1
LABEL_NAMES = {"label", "labels", "class", "digit", "target", "y", "number", "digits", "targets", "classes", "emotion"}
INDEX_NAMES = {"", "id", "index", "unnamed: 0", "imageid", "rownames"}

_HIGHEST_LABEL = 61
_N_ROWS = 200

ColumnOf = Callable[[int], Sequence[str]]


@dataclass(frozen=True)
class TableLayout:
    """Columns of a table: the side of its images, the label's columns, and the columns that are dropped.

    Attributes
    ----------
    n_columns, side : int
    labels : range
        A single column; one column per class for one-hot labels; none if the file has no labels.
    dropped : tuple of int
        All columns that are not pixels, from last to first.
    """

    n_columns: int
    side: int
    labels: range
    dropped: tuple[int, ...]

    @property
    def n_pixels(self) -> int:
        """Number of pixels per image."""
        return self.side**2

    def label(self, cells: Sequence[str]) -> str:
        """Return the label's text from the cells of the label's columns: a class number or a name."""
        if len(cells) == 1:
            return label_text(cells[0])
        values = [_number(cell) for cell in cells]
        if [value for value in values if value not in (0, -1)] != [1]:
            raise ValueError("has labels that are not one-hot; expected a single 1 among zeros")
        return str(values.index(1))


def label_text(cell: str) -> str:
    """Return a label without quotes; whole numbers without decimals or exponent, as in ``7.000e+00``."""
    text = cell.strip().strip("\"'").strip()
    if "." in text or "e" in text or "E" in text:
        number = _number(text)
        if number is not None and number == np.floor(number) and abs(number) < 1e6:
            return str(int(number))
    return text


def table_layout(header: Sequence[str] | None, n_columns: int, column_of: ColumnOf) -> TableLayout | None:
    """Determine the layout from the header and some rows; None if the columns are not those of square images.

    The label is the column that the header names, or else the first or last column, whichever has values like labels.
    A file may also have a column per class (one-hot), an index column, or no labels.

    Parameters
    ----------
    header : sequence of str or None
    n_columns : int
    column_of : callable
        Function that returns the cells of a column in some rows.
    """
    if n_columns > MAX_COLUMNS:
        return None
    named, index = None, []
    if header:
        names = [name.strip().lower() for name in header]
        named = next((column for column, name in enumerate(names) if name in LABEL_NAMES), None)
        index = [column for column, name in enumerate(names) if name in INDEX_NAMES and column != named]
    sides = [side for side in range(MIN_SIDE, MAX_SIDE + 1) if side**2 <= n_columns]
    extras = sorted((n_columns - len(index) - side**2, side) for side in sides if n_columns - len(index) >= side**2)
    for extra, side in [pair for pair in extras if pair[0] <= 3] + [pair for pair in extras if pair[0] > 3]:
        labels = _label_columns(extra, n_columns, named, index, column_of)
        if labels is not None:
            dropped = sorted({*index, *labels[1], *labels[0]}, reverse=True)
            if n_columns - len(dropped) == side**2:
                return TableLayout(n_columns, side, labels[0], tuple(dropped))
    return None


def _label_columns(
    extra: int, n_columns: int, named: int | None, index: Sequence[int], column_of: ColumnOf
) -> tuple[range, list[int]] | None:
    """Return the columns of the label and those of an unnamed index, if ``extra`` columns are not pixels; else None."""
    free = [column for column in range(n_columns) if column not in index]
    if extra == 0:
        return range(0), []
    if extra == 1:
        column = named if named is not None else _likelier(free[0], free[-1], column_of)
        return range(column, column + 1), []
    if extra == 2:
        if not _is_counting(column_of(free[0])):
            return None
        column = named if named is not None else _likelier(free[1], free[-1], column_of)
        return range(column, column + 1), [free[0]]
    if extra <= MAX_CLASSES:
        for columns in (range(free[0], free[0] + extra), range(free[-1] + 1 - extra, free[-1] + 1)):
            if _are_one_hot([column_of(column) for column in columns]):
                return columns, []
    return None


def _likelier(first: int, last: int, column_of: ColumnOf) -> int:
    """Return the column that is likelier to be labels: they vary, while corner pixels are mostly constant or larger."""
    scores = [(_label_score(column_of(column)), -column) for column in (first, last)]
    return -max(scores)[1]


def _label_score(values: Sequence[str]) -> tuple[int, int]:
    distinct = {label_text(value) for value in values}
    if len(distinct) < 2 or len(distinct) > MAX_CLASSES:
        return 0, 0
    numbers = [_number(value) for value in distinct]
    if any(number is None for number in numbers):
        return 3, 0  # names
    if any(number != np.floor(number) or not 0 <= number <= _HIGHEST_LABEL for number in numbers if number is not None):
        return 0, 0
    return (2 if max(number or 0 for number in numbers) <= 9 else 1), len(distinct)


def _is_counting(values: Sequence[str]) -> bool:
    numbers = [_number(value) for value in values]
    return len(numbers) > 1 and None not in numbers and bool(
        (np.diff(np.array(numbers, float)) > 0).all() and all(value == np.floor(value or 0) for value in numbers)
    )  # fmt: skip


def _are_one_hot(columns: Sequence[Sequence[str]]) -> bool:
    rows = [[_number(cell) for cell in row] for row in zip(*columns, strict=True)]
    return bool(rows) and all([value for value in row if value not in (0, -1)] == [1] for row in rows)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().strip("\"'"))
    except ValueError:
        return None
    return number if "_" not in text and np.isfinite(number) else None  # Python accepts underscores, tables do not


def has_table(array: NDArray[Any]) -> bool:
    """Return whether an array of numbers is a table of images with labels."""
    layout = _array_layout(array)
    return layout is not None and bool(layout.labels)


def dataset_in_table(path: Path, array: NDArray[Any], kind: str) -> ReaderResult:
    """Build a dataset from an array of numbers, shape (n, n_columns), for which `has_table` is true.

    Raises
    ------
    DataError
        If a label or pixel is invalid.
    """
    layout = _array_layout(array)
    assert layout is not None
    check_count(path, len(array))
    labels = Labels(path)
    for row in array[:, layout.labels.start : layout.labels.stop]:
        try:
            labels.add(layout.label([f"{value:g}" for value in row]))
        except ValueError as error:
            raise DataError(path, str(error)) from error
    pixels = Pixels(path)
    table = np.delete(array, layout.dropped, axis=1)
    images = pixels.as_bytes("pixels", table).reshape(-1, layout.side, layout.side)
    part: RawPart = labels.part(images)
    return ReaderResult(part, None, kind, family_of(path.parent.name, path.name).class_names, tuple(pixels.notes))


def _array_layout(array: NDArray[Any]) -> TableLayout | None:
    if array.ndim != 2 or len(array) < 2:
        return None
    rows = array[:: max(1, len(array) // _N_ROWS)][:_N_ROWS]
    return table_layout(None, array.shape[1], lambda column: [f"{value:g}" for value in rows[:, column].tolist()])


def expected_columns() -> str:
    """Return the description of a valid table, for errors."""
    return f"expected {SIDE**2} pixels and a label, or as many pixels as another square has, such as 64 or 256"
