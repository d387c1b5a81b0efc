"""Reader of LIBSVM's text format: on each line a label, then ``index:value`` for every pixel that is not 0.

Source: the README of LIBSVM (Chang and Lin). Indices begin at 1 and increase.
"""

import itertools
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.label_names import digits_of_one_to_ten
from digitpad.datasets.conversion.pixels import Pixels
from digitpad.datasets.conversion.table_layout import label_text
from digitpad.datasets.digits import Labels, RawPart, ReaderResult, check_count, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.idx import FREE_BYTES, MAX_RATIO, opened
from digitpad.datasets.readers.table_file import MAX_FILE_BYTES, numbered_lines
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

_LINE = re.compile(rb"\s*[-+0-9.eE]{1,30}(\s+\d{1,5}:[-+0-9.eE]{1,30}){8,}\s*")
_SIDES = (8, 16, 20, 28, 32)
_MIN_INDEX = 30  # data with fewer columns are not images
_BLOCK_ROWS = 1000


def is_sparse_text(content: bytes) -> bool:
    """Return whether the beginning of a file is that of a LIBSVM file with enough columns for images."""
    lines = [line for line in content.split(b"\n", 4)[:4] if line.strip()]
    complete = lines[:-1] if len(lines) > 1 else lines
    if not complete or not all(_LINE.fullmatch(line) for line in complete):
        return False
    return max(int(line.rpartition(b":")[0].split()[-1]) for line in complete) >= _MIN_INDEX


def read_sparse_text(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a LIBSVM file; the test set is the file with the name and ``.t``, if there is one.

    Raises
    ------
    DataError
        If a file cannot be read, or a line is not a label and its pixels; the message contains the line number.
    """
    pixels = Pixels(path)
    training = _read_part(path, tell, pixels)
    name = path.name.removesuffix(".bz2").removesuffix(".gz")
    candidates = (path.with_name(f"{name}.t{suffix}") for suffix in ("", ".bz2", ".gz"))
    test_path = next((candidate for candidate in candidates if candidate.is_file()), None)
    test = None if test_path is None else _read_part(resolve_inside(path.parent, test_path), tell, Pixels(test_path))
    class_names, notes = family_of(path.parent.name, path.name).class_names, tuple(pixels.notes)
    digits, note = digits_of_one_to_ten(path)
    if not class_names and set(training.texts) == set(digits):
        class_names, notes = digits, (*notes, note)
    return ReaderResult(training, test, "LIBSVM", class_names, notes)


def _read_part(path: Path, tell: ProgressCallback, pixels: Pixels) -> RawPart:
    labels = Labels(path)
    blocks: list[NDArray[np.float32]] = []
    side = 0
    try:
        with opened(path, MAX_FILE_BYTES) as (file, size, zipped):
            limit = max(FREE_BYTES, MAX_RATIO * size) if zipped else size
            lines = numbered_lines(path, file.readline, limit)
            while block := list(itertools.islice(lines, _BLOCK_ROWS)):
                rows = _block(path, block, labels)
                side = max(side, _side(path, rows.shape[1]))
                blocks.append(rows)
                check_count(path, _BLOCK_ROWS * len(blocks))
                tell(_BLOCK_ROWS * len(blocks))
    except (OSError, EOFError, zlib.error, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    if not blocks:
        raise DataError(path, "is empty; expected a line for each image")
    scale = pixels.scale_of(blocks[0])
    images = np.zeros((sum(map(len, blocks)), side**2), np.uint8)
    begin = 0
    for rows in blocks:
        is_valid = scale.valid(rows)
        if not is_valid.all():
            row, column = np.argwhere(~is_valid)[0]
            raise DataError(
                path,
                f"line {begin + int(row) + 1}: value {column + 1} is {rows[row, column]:g}; expected {scale.expected}",
            )
        images[begin : begin + len(rows)] = scale.to_bytes(np.zeros(1, np.float32))[0]  # of values that are left out
        images[begin : begin + len(rows), : rows.shape[1]] = scale.to_bytes(rows)
        begin += len(rows)
    return labels.part(images.reshape(-1, side, side))


def _block(path: Path, lines: list[tuple[int, bytes]], labels: Labels) -> NDArray[np.float32]:
    """Return the values of some lines, shape (n, highest index), and add their labels."""
    entries = list(_entries(path, lines, labels))
    highest = max((int(indices[-1]) for indices, _ in entries if len(indices)), default=1)
    _side(path, highest)
    rows = np.zeros((len(entries), highest), np.float32)
    for row, (indices, values) in enumerate(entries):
        rows[row, indices - 1] = values
    return rows


def _entries(
    path: Path, lines: list[tuple[int, bytes]], labels: Labels
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    for number, line in lines:
        label, _, rest = line.partition(b" ")
        try:
            numbers = np.array(rest.replace(b":", b" ").split(), np.float64)
            indices = numbers[::2].astype(np.intp) if len(numbers) % 2 == 0 and np.isfinite(numbers).all() else None
        except (ValueError, OverflowError):
            indices = None
        if indices is None or (len(indices) and (indices[0] < 1 or (np.diff(indices) <= 0).any())):
            raise DataError(path, f"line {number} is not a label followed by index:value pairs in increasing order")
        labels.add(label_text(label.decode("utf-8", "replace")))
        with np.errstate(over="ignore"):
            yield indices, numbers[1::2].astype(np.float32)


def _side(path: Path, highest: int) -> int:
    """Return the side of the smallest usual image with at least that many pixels."""
    for side in _SIDES:
        if highest <= side**2:
            return side
    raise DataError(path, f"has {highest:,} columns; expected at most {_SIDES[-1] ** 2:,}, the pixels of an image")
