"""Images as lines of text, as Kaggle has MNIST: a label and 784 pixels a line, with a header or without.

The label is the column that a header names so, else the first or the last one. A file may lack labels, as Kaggle's
``test.csv`` does; then there is nothing to train on or to score with.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import (
    SIDE,
    Labels,
    RawPart,
    ReaderResult,
    Tell,
    check_count,
    ignore_progress,
    resolve_inside,
)
from digitpad.datasets.download.families import family_of
from digitpad.errors import DataError, reason

MAX_FILE_BYTES = 4 * 2**30
"""EMNIST's largest part has 1.3 GB as text; the file is read in pieces, and what is kept is a third."""

MAX_LINE_BYTES = 2**16
"""A row of 785 columns takes at most 3 140 bytes, or some 16 000 where its numbers are written as 255.0000000000."""

N_PIXELS = SIDE * SIDE

_ROWS_AT_ONCE = 1000
_LABEL_NAMES = {"label", "labels", "class", "digit", "target", "y"}
_NO_PIXELS = {"", "id", "index", "unnamed: 0"}


def is_image_row(line: bytes) -> bool:
    """Whether a line of a file is an image and its label: 784 whole numbers of 0 to 255, and what may be no pixels."""
    cells = line.strip().split(max((b",", b";", b"\t"), key=line.count))
    pixels = sum(cell.strip(b" \"'").isdigit() and int(cell.strip(b" \"'")[:9]) <= 255 for cell in cells)
    return pixels >= N_PIXELS and N_PIXELS < len(cells) <= N_PIXELS + len(_NO_PIXELS)


def read_csv(path: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """The data set in a CSV file; with the test part in a file of the same name beside it, ``test`` for ``train``.

    Raises
    ------
    DataError
        If a file cannot be read, or a row is no image; it names the row.
    """
    training = read_csv_part(path, tell)
    if training is None:
        raise DataError(path, f"holds images without labels ({N_PIXELS} columns); expected a column of labels as well")
    test, notes = None, []
    beside = path.with_name(path.name.replace("train", "test"))
    if beside != path and beside.is_file():
        n_read = len(training.images)
        test = read_csv_part(resolve_inside(path.parent, beside), lambda n: tell(n_read + n))
        if test is None:
            notes.append(f"{beside.name} has no labels, so that it cannot be scored with.")
    family = family_of(path.parent.name, path.name)
    if family.transposed:
        for part in (training, test):
            if part is not None:
                part.images[:] = part.images.transpose(0, 2, 1).copy()
        notes.append("EMNIST keeps its images with rows and columns exchanged; they are turned upright.")
    return ReaderResult(training, test, "CSV", family.class_names, tuple(notes))


def read_csv_part(path: Path, tell: Tell = ignore_progress) -> RawPart | None:
    """The images and labels in one CSV file; None where it has no labels.

    Raises
    ------
    DataError
        If it cannot be read, or a row is no image; it names the row.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise DataError(path, f"is {size} bytes long; at most {MAX_FILE_BYTES} are read")
            return _read(path, _lines(path, file.readline), tell)
    except (OSError, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def _lines(path: Path, readline: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, with its number from 1."""
    number = 0
    while line := readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise DataError(
                path, f"row {number} is longer than {MAX_LINE_BYTES} bytes; expected {N_PIXELS + 1} columns"
            )
        if line := line.strip():
            yield number, line


@dataclass(frozen=True)
class _Layout:
    """Where a file has its label, and which columns are no pixels."""

    separator: bytes
    n_columns: int
    label: int | None
    dropped: tuple[int, ...] = ()  # from the last to the first, the label's own among them

    def parts(self, path: Path, number: int, line: bytes) -> tuple[bytes | None, bytes]:
        """The label and the pixels of a line."""
        cells = line.split(self.separator)
        if len(cells) != self.n_columns:
            raise DataError(path, f"row {number} has {len(cells)} columns; expected {self.n_columns}")
        label = None if self.label is None else cells[self.label]
        for place in self.dropped:
            del cells[place]
        return label, b",".join(cells)


def _read(path: Path, lines: Iterator[tuple[int, bytes]], tell: Tell) -> RawPart | None:
    head = list(itertools.islice(lines, _ROWS_AT_ONCE + 1))
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
        if len(block) == _ROWS_AT_ONCE:
            blocks.append(_block(path, layout, block, labels))
            n += len(block)
            check_count(path, n)
            tell(n)
            block = []
    if block:
        blocks.append(_block(path, layout, block, labels))
    if not blocks:
        raise DataError(path, "holds no image under its header")
    if layout.label is None:
        return None
    images = np.concatenate(blocks)
    return labels.part(images)


def _layout(
    path: Path, header: list[str] | None, n_columns: int, separator: bytes, rows: list[tuple[int, bytes]]
) -> _Layout:
    """What each column is."""
    label, others = None, []
    if header:
        names = [name.lower() for name in header]
        label = next((place for place, name in enumerate(names) if name in _LABEL_NAMES), None)
        others = [place for place, name in enumerate(names) if name in _NO_PIXELS and place != label]
    if label is None and n_columns - len(others) == N_PIXELS + 1:
        label = _place_of_labels(separator, n_columns, rows)
    dropped = sorted({*others, *([] if label is None else [label])}, reverse=True)
    if n_columns - len(dropped) != N_PIXELS:
        raise DataError(path, f"has {n_columns} columns; expected {N_PIXELS} pixels and a label")
    return _Layout(separator, n_columns, label, tuple(dropped))


def _place_of_labels(separator: bytes, n_columns: int, rows: list[tuple[int, bytes]]) -> int:
    """The first column or the last one: labels vary, and pixels in a corner hardly do, or are larger than labels."""
    # Not split into cells, of which a row that is to be refused may have 30 000.
    first = {line.partition(separator)[0] for _, line in rows}
    last = {line.rpartition(separator)[2] for _, line in rows}

    def may_be_labels(values: set[bytes]) -> bool:
        return len(values) > 1 and not any(value.isdigit() and int(value[:9]) > 61 for value in values)

    return n_columns - 1 if may_be_labels(last) and not may_be_labels(first) else 0


def _block(path: Path, layout: _Layout, rows: list[tuple[int, bytes]], labels: Labels) -> NDArray[np.uint8]:
    """The images of some rows, whose labels are added to the others."""
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
        raise _unreadable(path, rows, texts)
    good = (values >= 0) & (values <= 255) & (values == np.floor(values))
    if not good.all():
        row, column = np.unravel_index(int(np.argmin(good)), good.shape)
        raise _no_pixel(path, rows[row][0], int(column), f"{values[row, column]:g}")
    return values.astype(np.uint8).reshape(-1, SIDE, SIDE)


def _unreadable(path: Path, rows: list[tuple[int, bytes]], texts: list[bytes]) -> DataError:
    """The error of the first cell that is no number."""
    for (number, _), text in zip(rows, texts, strict=True):
        for column, cell in enumerate(text.split(b",")):
            if not _is_number(cell):
                return _no_pixel(path, number, column, repr(cell[:20].decode("utf-8", "replace")))
    return DataError(path, f"rows {rows[0][0]} to {rows[-1][0]} cannot be read as numbers")


def _no_pixel(path: Path, number: int, column: int, found: str) -> DataError:
    return DataError(path, f"row {number} has {found} as pixel {column}; expected a whole number of 0 to 255")


def _unquoted(cell: bytes) -> str:
    return cell.decode("utf-8", "replace").strip().strip("\"'").strip()


def _is_header(cells: list[str]) -> bool:
    """Whether a first row names columns, by words or by counting them; the label of an image may be a word too."""
    return (
        not all(_is_number(cell.encode()) for cell in cells[1:-1])
        or any(cells[place].lower() in _LABEL_NAMES for place in (0, -1))
        or cells == [str(place) for place in range(len(cells))]
    )


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return b"_" not in cell  # which Python takes within numbers, and nobody else
