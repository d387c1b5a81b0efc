"""Reader of CSV files such as Kaggle's MNIST: a label and 784 pixels per line, with or without a header.

The label column is the one that the header names, or else the first or last column. A file may have no labels, such as
Kaggle's ``test.csv``; it cannot be used for training or scoring.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import SIDE, Labels, RawPart, ReaderResult, check_count, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAX_FILE_BYTES = 4 * 2**30
"""File size limit. EMNIST's largest part has 1.3 GB as text. It is read in chunks, and its pixels take a third."""

MAX_LINE_BYTES = 2**16
"""Line length limit. A row of 785 columns takes at most 3,140 bytes, or about 16,000 if written as 255.0000000000."""

N_PIXELS = SIDE * SIDE

_BLOCK_ROWS = 1000
_LABEL_NAMES = {"label", "labels", "class", "digit", "target", "y"}
_INDEX_NAMES = {"", "id", "index", "unnamed: 0"}


def is_image_row(line: bytes) -> bool:
    """Return whether a line is an image and its label: 784 whole numbers from 0 to 255, and a few other columns."""
    cells = line.strip().split(max((b",", b";", b"\t"), key=line.count))
    pixels = sum(cell.strip(b" \"'").isdigit() and int(cell.strip(b" \"'")[:9]) <= 255 for cell in cells)
    return pixels >= N_PIXELS and N_PIXELS < len(cells) <= N_PIXELS + len(_INDEX_NAMES)


def read_csv(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a CSV file.

    The test set is the file in the same folder with ``test`` instead of ``train`` in its name, if there is one.

    Raises
    ------
    DataError
        If a file cannot be read, or a row is not a valid image; the message contains the row number.
    """
    training = read_csv_part(path, tell)
    if training is None:
        raise DataError(path, f"contains images without labels ({N_PIXELS} columns); add a column of labels")
    test, notes = None, []
    test_path = path.with_name(path.name.replace("train", "test"))
    if test_path != path and test_path.is_file():
        n_read = len(training.images)
        test = read_csv_part(resolve_inside(path.parent, test_path), lambda n: tell(n_read + n))
        if test is None:
            notes.append(f"{test_path.name} has no labels, so it cannot be used as the test set.")
    family = family_of(path.parent.name, path.name)
    if family.transposed:
        for part in (training, test):
            if part is not None:
                part.images[:] = part.images.transpose(0, 2, 1).copy()
        notes.append("EMNIST stores images with rows and columns swapped; they were transposed.")
    return ReaderResult(training, test, "CSV", family.class_names, tuple(notes))


def read_csv_part(path: Path, tell: ProgressCallback = ignore_progress) -> RawPart | None:
    """Read the images and labels in a CSV file; return None if it has no labels.

    Raises
    ------
    DataError
        If the file cannot be read, or a row is not a valid image; the message contains the row number.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise DataError(path, f"is too large; the limit is {MAX_FILE_BYTES // 2**30} GB")
            return _read(path, _lines(path, file.readline), tell)
    except (OSError, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def _lines(path: Path, readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is not blank, with its line number, counted from 1."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise DataError(
                path, f"row {number} is longer than {MAX_LINE_BYTES:,} bytes; expected {N_PIXELS + 1} columns"
            )
        if line := line.strip():
            yield number, line


@dataclass(frozen=True)
class _Layout:
    """Column layout: the separator, the label column, and the columns that are not pixels."""

    separator: bytes
    n_columns: int
    label: int | None
    dropped: tuple[int, ...] = ()  # from last to first, including the label column

    def parts(self, path: Path, number: int, line: bytes) -> tuple[bytes | None, bytes]:
        """Return the label (None if the file has none) and the comma-separated pixels of a line."""
        cells = line.split(self.separator)
        if len(cells) != self.n_columns:
            raise DataError(path, f"row {number} has {len(cells)} columns; expected {self.n_columns}")
        label = None if self.label is None else cells[self.label]
        for column in self.dropped:
            del cells[column]
        return label, b",".join(cells)


def _read(path: Path, lines: Iterator[tuple[int, bytes]], tell: ProgressCallback) -> RawPart | None:
    head = list(itertools.islice(lines, _BLOCK_ROWS + 1))
    if not head:
        raise DataError(path, "is empty; expected a row for each image")
    head[0] = (head[0][0], head[0][1].removeprefix(b"\xef\xbb\xbf"))
    separator = max((b",", b";", b"\t"), key=head[0][1].count)
    first = [_unquoted(cell) for cell in head[0][1].split(separator)]
    header = first if _is_header(first) else None
    rows = head[1:] if header else head
    layout = _layout(path, header, len(first), separator, rows)
    labels, n = Labels(path), 0
    blocks: list[NDArray[np.uint8]] = []
    block: list[tuple[int, bytes]] = []
    for row in itertools.chain(rows, lines):
        block.append(row)
        if len(block) == _BLOCK_ROWS:
            blocks.append(_block(path, layout, block, labels))
            n += len(block)
            check_count(path, n)
            tell(n)
            block = []
    if block:
        blocks.append(_block(path, layout, block, labels))
    if not blocks:
        raise DataError(path, "contains no image below its header")
    if layout.label is None:
        return None
    images = np.concatenate(blocks)
    return labels.part(images)


def _layout(
    path: Path, header: list[str] | None, n_columns: int, separator: bytes, rows: list[tuple[int, bytes]]
) -> _Layout:
    """Determine the column layout from the header or the first rows."""
    label, index_columns = None, []
    if header:
        names = [name.lower() for name in header]
        label = next((column for column, name in enumerate(names) if name in _LABEL_NAMES), None)
        index_columns = [column for column, name in enumerate(names) if name in _INDEX_NAMES and column != label]
    if label is None and n_columns - len(index_columns) == N_PIXELS + 1:
        label = _label_column(separator, n_columns, rows)
    dropped = sorted({*index_columns, *([] if label is None else [label])}, reverse=True)
    if n_columns - len(dropped) != N_PIXELS:
        raise DataError(path, f"has {n_columns} columns; expected {N_PIXELS} pixels and a label")
    return _Layout(separator, n_columns, label, tuple(dropped))


def _label_column(separator: bytes, n_columns: int, rows: list[tuple[int, bytes]]) -> int:
    """Return the first or last column: labels vary, while corner pixels are mostly constant, or larger than labels."""
    # Do not split rows into cells: an invalid row may have 30,000.
    first = {line.partition(separator)[0] for _, line in rows}
    last = {line.rpartition(separator)[2] for _, line in rows}

    def may_be_labels(values: set[bytes]) -> bool:
        return len(values) > 1 and not any(value.isdigit() and int(value[:9]) > 61 for value in values)

    return n_columns - 1 if may_be_labels(last) and not may_be_labels(first) else 0


def _block(path: Path, layout: _Layout, rows: list[tuple[int, bytes]], labels: Labels) -> NDArray[np.uint8]:
    """Return the images of a block of rows, of shape (n, 28, 28), and add their labels to ``labels``."""
    texts: list[bytes] = []
    for number, line in rows:
        label, pixels = layout.parts(path, number, line)
        texts.append(pixels)
        if label is not None:
            text = _unquoted(label)
            labels.add(text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text)
    try:
        values = np.loadtxt(texts, np.float64, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        values = None
    if values is None or values.shape != (len(rows), N_PIXELS):
        raise _number_error(path, rows, texts)
    is_valid = (values >= 0) & (values <= 255) & (values == np.floor(values))
    if not is_valid.all():
        row, column = np.unravel_index(int(np.argmin(is_valid)), is_valid.shape)
        raise _pixel_error(path, rows[row][0], int(column), f"{values[row, column]:g}")
    return values.astype(np.uint8).reshape(-1, SIDE, SIDE)


def _number_error(path: Path, rows: list[tuple[int, bytes]], texts: list[bytes]) -> DataError:
    """Return the error for the first cell that is not a number."""
    for (number, _), text in zip(rows, texts, strict=True):
        for column, cell in enumerate(text.split(b",")):
            if not _is_number(cell):
                return _pixel_error(path, number, column, repr(cell[:20].decode("utf-8", "replace")))
    return DataError(path, f"rows {rows[0][0]} to {rows[-1][0]} cannot be read as numbers")


def _pixel_error(path: Path, number: int, column: int, value: str) -> DataError:
    return DataError(path, f"row {number}: pixel {column} is {value}; expected a whole number from 0 to 255")


def _unquoted(cell: bytes) -> str:
    return cell.decode("utf-8", "replace").strip().strip("\"'").strip()


def _is_header(cells: list[str]) -> bool:
    """Return whether the first row is a header of names or column numbers; an image row may also have a text label."""
    return (
        not all(_is_number(cell.encode()) for cell in cells[1:-1])
        or any(cells[index].lower() in _LABEL_NAMES for index in (0, -1))
        or cells == [str(index) for index in range(len(cells))]
    )


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return b"_" not in cell  # Python accepts underscores in numbers, CSV does not
