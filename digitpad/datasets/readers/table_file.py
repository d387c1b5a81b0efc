"""Reader of text tables with a row per image: CSV such as Kaggle's MNIST, `numpy.savetxt`'s, tab-separated, ARFF.

Values are separated by commas, semicolons, tabs, bars or blanks, and may be quoted. A row may also be a label and a
single cell of all pixels. `conversion.table_layout` finds the columns of the pixels and of the label. A file may
have no labels, such as Kaggle's ``test.csv``; it cannot be used for training or scoring.
"""

import itertools
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.array_roles import words_of
from digitpad.datasets.conversion.pixels import BYTES, Pixels
from digitpad.datasets.conversion.table_layout import (
    LABEL_NAMES,
    MAX_COLUMNS,
    TableLayout,
    expected_columns,
    table_layout,
)
from digitpad.datasets.digits import SIDE, Labels, RawPart, ReaderResult, check_count, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.idx import FREE_BYTES, MAX_RATIO, opened
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAX_FILE_BYTES = 4 * 2**30
"""File size limit. EMNIST's largest part has 1.3 GB as text. It is read in chunks, and its pixels take a third."""

MAX_LINE_BYTES = 2**16
"""Line length limit. A row of 785 columns takes at most 3,140 bytes, or about 20,000 from `numpy.savetxt`."""

N_PIXELS = SIDE * SIDE

_BLOCK_ROWS = 1000
_LAYOUT_ROWS = 200
_SEPARATORS = (b",", b";", b"\t", b"|")
_MANY = 64  # separators in a row of the smallest images
_PACKED = bytes.maketrans(b",;|\t[]()", b" " * 8)
_TEST_NAMES = (
    ("training", "test"), ("training", "testing"), ("train", "test"), ("Training", "Test"), ("Train", "Test"),
    ("TRAIN", "TEST"), (".tra", ".tes"),
)  # fmt: skip
_ATTRIBUTE = re.compile(rb"@attribute\s+('[^']*'|\"[^\"]*\"|\S+)", re.IGNORECASE)


def is_image_table(content: bytes) -> bool:
    """Return whether the beginning of a file is that of a table of images with labels."""
    n_lines = MAX_COLUMNS if content.lstrip()[:9].lower().startswith((b"@relation", b"%")) else _LAYOUT_ROWS // 10
    lines = [line for line in content.splitlines()[:n_lines] if line.strip()]
    complete = lines[:-1] if len(lines) > 1 and not content.endswith((b"\n", b"\r")) else lines
    if not complete or any(len(line) > MAX_LINE_BYTES for line in complete):
        return False
    try:
        head = _head(iter(enumerate(complete, 1)), Path())
    except DataError:
        return False
    layout = head.layout
    return bool(head.rows) and layout is not None and bool(layout.labels) and _is_row_of_pixels(head, layout)


def _is_row_of_pixels(head: "_Head", layout: TableLayout) -> bool:
    """Return whether the first row has pixels rather than, for example, weights: on a usual scale, and mostly dark."""
    _, _, pixels = head.parts(head.rows[0][1], layout)
    try:
        values = np.array([float(cell) for cell in pixels])
    except ValueError:
        return False
    is_bytes = bool(((values >= 0) & (values <= 255) & (values == np.floor(values))).all())
    return is_bytes or bool((np.abs(values) <= 1).all() and (values == values.min()).mean() > 0.1)


def read_table(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a text file.

    The test set is the file in the same folder with ``test`` instead of ``train`` in its name, if there is one. A file
    with the name of a test set is itself read as a test set.

    Raises
    ------
    DataError
        If a file cannot be read, or rows are not valid images; the message contains the row numbers.
    """
    pixels = Pixels(path)
    training = read_table_part(path, tell, pixels)
    if training is None:
        raise DataError(path, "contains images without labels; add a column of labels")
    test, notes = None, []
    test_path = _test_path(path)
    if test_path is not None:
        n_read = len(training.images)
        test = read_table_part(resolve_inside(path.parent, test_path), lambda n: tell(n_read + n), Pixels(test_path))
        if test is None:
            notes.append(f"{test_path.name} has no labels, so it cannot be used as the test set.")
    family = family_of(path.parent.name, path.name)
    if family.transposed:
        for part in (training, test):
            if part is not None:
                part.images[:] = part.images.transpose(0, 2, 1).copy()
        notes.append("EMNIST stores images with rows and columns swapped; they were transposed.")
    is_test = test_path is None and "test" in words_of(path.stem)
    return ReaderResult(
        None if is_test else training, training if is_test else test, "CSV", family.class_names,
        (*pixels.notes, *notes),
    )  # fmt: skip


def _test_path(path: Path) -> Path | None:
    for old, new in _TEST_NAMES:
        candidate = path.with_name(path.name.replace(old, new))
        if candidate != path and candidate.is_file():
            return candidate
    return None


def training_file_of(path: Path) -> Path:
    """Return the path of the training set that belongs to the test set of that name; it may not exist."""
    for old, new in _TEST_NAMES:
        candidate = path.with_name(path.name.replace(new, old))
        if candidate != path and candidate.is_file():
            return candidate
    return path.with_name(path.name.replace("test", "train"))


def read_table_part(path: Path, tell: ProgressCallback, pixels: Pixels) -> RawPart | None:
    """Read the images and labels in a text file; return None if it has no labels.

    Raises
    ------
    DataError
        If the file cannot be read, or rows are not valid images; the message contains the row numbers.
    """
    try:
        with opened(path, MAX_FILE_BYTES) as (file, size, zipped):
            limit = max(FREE_BYTES, MAX_RATIO * size) if zipped else size
            return _TableReader(path, tell, pixels).read(numbered_lines(path, file.readline, limit))
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def numbered_lines(path: Path, readline: Callable[[int], bytes], max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank, with its line number, counted from 1; at most ``max_bytes`` are read."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        max_bytes -= len(line)
        if max_bytes < 0:
            raise DataError(path, "is too large when decompressed, or is not an ordinary text file")
        if len(line) > MAX_LINE_BYTES:
            raise DataError(
                path, f"row {number} is longer than {MAX_LINE_BYTES:,} bytes; expected {N_PIXELS + 1} columns"
            )
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line := line.strip():
            yield number, line


def find_separator(line: bytes) -> bytes | None:
    """Return the separator of a row's cells; None for blanks."""
    for separator in (b";", b"\t"):
        if line.count(separator) >= _MANY:
            return separator
    separator = max(_SEPARATORS, key=line.count)
    return separator if line.count(separator) >= min(_MANY, line.count(b" ") + 1) else None


@dataclass(frozen=True)
class _Head:
    """Beginning of a table: its separator, header, first rows and layout (None if it is not one of images)."""

    separator: bytes | None
    header: list[str] | None
    n_columns: int
    rows: list[tuple[int, bytes]]
    layout: TableLayout | None = None

    def cells(self, line: bytes) -> list[bytes]:
        """Return the cells of a row, without quotes."""
        if b'"' in line:
            line = line.replace(b'"', b"")
        if self.separator is None:
            return line.translate(_PACKED).split()
        if self.separator != b"," and b"," in line:  # a decimal comma
            line = line.replace(b",", b".")
        return line.split(self.separator)

    def parts(self, line: bytes, layout: TableLayout) -> tuple[int, list[str], list[bytes]]:
        """Return the number of columns of a row, its label's cells, and its pixels; empty if the number is wrong."""
        if self.separator is not None and (n := line.count(self.separator) + 1) != layout.n_columns:
            return n, [], []  # such a row may have 30,000 cells
        cells = self.cells(line)
        if len(cells) != layout.n_columns:
            return len(cells), [], []
        label = [cells[column].decode("utf-8", "replace") for column in layout.labels]
        for column in layout.dropped:
            del cells[column]
        return layout.n_columns, label, cells


def _head(lines: Iterator[tuple[int, bytes]], path: Path) -> _Head:
    """Read the first rows of a table, and determine its layout.

    Raises
    ------
    DataError
        If there is no row.
    """
    rows = list(itertools.islice(lines, 1))
    names: list[str] | None = None
    if rows and rows[0][1].lower().startswith((b"@relation", b"%")):
        names, rows = _arff_names(itertools.chain(rows, lines)), []
    rows += list(itertools.islice(lines, _BLOCK_ROWS + 1 - len(rows)))
    rows = [row for row in rows if not row[1].startswith((b"#", b"%"))]
    if not rows:
        raise DataError(path, "is empty; expected a row for each image")
    head = _Head(find_separator(rows[min(1, len(rows) - 1)][1]), names, 0, rows)
    first = [cell.decode("utf-8", "replace").strip().strip("\"'") for cell in head.cells(rows[0][1])]
    if names is None and _is_header(first):
        names, rows = first, rows[1:]
    n_columns = len(head.cells(rows[0][1])) if rows else len(first)
    header = names if names is not None and len(names) == n_columns else None
    head = replace(head, header=header, rows=rows, n_columns=n_columns)
    if n_columns > MAX_COLUMNS:
        return head
    sample = [head.cells(line) for _, line in rows[:: max(1, len(rows) // _LAYOUT_ROWS)][:_LAYOUT_ROWS]]
    columns = [cells for cells in sample if len(cells) == n_columns]

    def column_of(column: int) -> Sequence[str]:
        return [cells[column].decode("utf-8", "replace") for cells in columns]

    return replace(head, layout=table_layout(header, n_columns, column_of))


def _arff_names(lines: Iterator[tuple[int, bytes]]) -> list[str]:
    """Return the names of the attributes in the header of an ARFF file, and skip to its first row."""
    names: list[str] = []
    for _, line in lines:
        if (match := _ATTRIBUTE.match(line)) and len(names) <= MAX_COLUMNS:
            names.append(match[1].decode("utf-8", "replace").strip("'\""))
        if line.lower().startswith(b"@data"):
            break
    return names


class _Problems:
    """Collector of problems: the first row of each kind, and how many more there are."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def add(self, kind: str, text: str) -> None:
        self._first.setdefault(kind, text)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def __bool__(self) -> bool:
        return bool(self._first)

    def error(self, path: Path) -> DataError:
        """Return an error that lists all kinds of problems, the most frequent first."""
        kinds = sorted(self._first, key=lambda kind: -self._counts[kind])
        texts = []
        for kind in kinds:
            more = self._counts[kind] - 1
            texts.append(self._first[kind] + (f" (and {more:,} more rows)" if more else ""))
        return DataError(path, "; ".join(texts))


class _TableReader:
    """Reader of the rows of a table, in blocks."""

    def __init__(self, path: Path, tell: ProgressCallback, pixels: Pixels) -> None:
        self._path = path
        self._tell = tell
        self._pixels = pixels
        self._labels = Labels(path)
        self._problems = _Problems()

    def read(self, lines: Iterator[tuple[int, bytes]]) -> RawPart | None:
        """Read all rows; return None if they have no labels."""
        head = _head(lines, self._path)
        layout = head.layout
        if layout is None:
            raise DataError(self._path, f"has {head.n_columns:,} columns; {expected_columns()}")
        if not head.rows:
            raise DataError(self._path, "contains no image below its header")
        blocks: list[NDArray[np.uint8]] = []
        n = 0
        rows = itertools.chain(head.rows, lines)
        while block := list(itertools.islice(rows, _BLOCK_ROWS)):
            blocks.append(self._block(head, layout, block))
            n += len(block)
            check_count(self._path, n)
            self._tell(n)
        if self._problems:
            raise self._problems.error(self._path)
        if not layout.labels:
            return None
        return self._labels.part(np.concatenate(blocks))

    def _block(self, head: _Head, layout: TableLayout, rows: list[tuple[int, bytes]]) -> NDArray[np.uint8]:
        """Return the images of a block of rows, shape (n, side, side), and add their labels."""
        texts: list[bytes] = []
        numbers: list[int] = []
        for number, line in rows:
            n_columns, label, cells = head.parts(line, layout)
            if not cells:
                self._problems.add("columns", f"row {number} has {n_columns:,} columns; expected {layout.n_columns:,}")
                continue
            texts.append(b",".join(cells))
            numbers.append(number)
            if label:
                try:
                    self._labels.add(layout.label(label))
                except ValueError as error:
                    self._problems.add("label", f"row {number} {error}")
                except DataError as error:
                    self._problems.add("label", f"row {number} {error.problem}")
        if not texts:
            return np.empty((0, layout.side, layout.side), np.uint8)
        try:
            values = np.loadtxt(texts, np.float64, delimiter=",", comments=None, ndmin=2)
        except ValueError:
            values = None
        if values is None or values.shape != (len(texts), layout.n_pixels):
            self._add_number_problems(numbers, texts)
            return np.empty((0, layout.side, layout.side), np.uint8)
        scale = self._pixels.scale_of(values)
        is_valid = scale.valid(values)
        if not is_valid.all():
            for row in np.flatnonzero(~is_valid.all(axis=1)).tolist():
                column = int(np.argmin(is_valid[row]))
                self._add_pixel_problem(numbers[row], column, f"{values[row, column]:g}", scale.expected)
        return scale.to_bytes(np.where(is_valid, values, 0)).reshape(-1, layout.side, layout.side)

    def _add_number_problems(self, numbers: list[int], texts: list[bytes]) -> None:
        """Record the first cell of each row that is not a number."""
        found = False
        for number, text in zip(numbers, texts, strict=True):
            for column, cell in enumerate(text.split(b",")):
                if not _is_number(cell):
                    self._add_pixel_problem(number, column, repr(cell[:20].decode("utf-8", "replace")), BYTES.expected)
                    found = True
                    break
        if not found:
            self._problems.add("number", f"rows {numbers[0]} to {numbers[-1]} cannot be read as numbers")

    def _add_pixel_problem(self, number: int, column: int, value: str, expected: str) -> None:
        expected = "a whole number from 0 to 255" if expected == BYTES.expected else expected
        self._problems.add("pixel", f"row {number}: pixel {column} is {value}; expected {expected}")


def _is_header(cells: list[str]) -> bool:
    """Return whether the first row is a header of names or column numbers; an image row may also have a text label."""
    return (
        not all(_is_number(cell.encode()) for cell in cells[1:-1])
        or any(cells[index].lower() in LABEL_NAMES for index in (0, -1))
        or cells == [str(index) for index in range(len(cells))]
    )


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return b"_" not in cell  # Python accepts underscores in numbers, tables do not
