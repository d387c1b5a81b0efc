"""Reader of lists of images: a CSV file with a column of file names and a column of labels."""

import csv
import itertools
import zlib
from collections.abc import Sequence
from pathlib import Path

from digitpad.datasets.conversion.table_layout import INDEX_NAMES, LABEL_NAMES, label_text
from digitpad.datasets.digits import MAX_SAMPLES, ReaderResult, resolve_inside
from digitpad.datasets.download.families import family_of
from digitpad.datasets.readers.folder_walk import files_below
from digitpad.datasets.readers.idx import MAX_BYTES
from digitpad.datasets.readers.image_folder import SUFFIXES, UNREADABLE_SUFFIXES, ImageReader, is_image_name
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback, ignore_progress

_MAX_COLUMNS = 12
_N_INSPECTED = 20
_SUFFIXES = (*SUFFIXES, *UNREADABLE_SUFFIXES)
_LABEL_WORDS = LABEL_NAMES | {"text", "value", "category", "name", "answer", "truth"}


def is_image_list(content: bytes, folder: Path) -> bool:
    """Return whether the beginning of a file is that of a list of images, which are in ``folder``."""
    lines = content.decode("utf-8-sig", "replace").splitlines()[: _N_INSPECTED + 1]
    try:
        return _columns(_rows(lines[:-1] if len(lines) > 2 else lines), folder) is not None
    except csv.Error:
        return False


def read_image_list(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a list of images; their paths are relative to the list's folder, or names of files below it.

    Images that do not exist or cannot be read are skipped and reported.

    Raises
    ------
    DataError
        If the list cannot be read, or no image can be.
    """
    try:
        if path.stat().st_size > MAX_BYTES // 8:
            raise DataError(path, "is too large for a list of images")
        rows = _rows(path.read_bytes().decode("utf-8-sig", "replace").splitlines())
    except (OSError, MemoryError, csv.Error, zlib.error) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error
    columns = _columns(rows, path.parent)
    if columns is None:
        raise DataError(path, "is not a list of images; expected a column of file names and a column of labels")
    file_column, label_column, has_header = columns
    labelled: list[tuple[Path, str]] = []
    finder = _Finder(path.parent)
    reader = ImageReader(tell)
    for number, row in enumerate(rows, 1):
        if (number == 1 and has_header) or not row:
            continue
        if len(row) <= max(file_column, label_column):
            reader.skipped.append(f"{path}: row {number} has {len(row)} columns")
            continue
        image = finder.find(row[file_column])
        if image is None:
            reader.skipped.append(f"{path}: row {number}: there is no image {row[file_column][:100]!r}")
        else:
            labelled.append((image, label_text(row[label_column])))
    if not labelled:
        raise DataError(path, "lists no image that exists; put the images beside it, or in a folder beside it")
    part = reader.read(path, labelled)
    return ReaderResult(
        part, None, "list of images", family_of(path.parent.name).class_names, reader.notes(), tuple(reader.skipped)
    )


def _rows(lines: Sequence[str]) -> list[list[str]]:
    """Return the cells of each row; at most `MAX_SAMPLES` rows of a few columns are expected."""
    sample = "\n".join(lines[:_N_INSPECTED])
    separator = max(",;\t|", key=sample.count)
    if not sample.count(separator):
        return [line.rsplit(maxsplit=1) for line in lines[: MAX_SAMPLES + 1]]
    return [
        [cell.strip() for cell in row]
        for row in itertools.islice(csv.reader(lines, delimiter=separator), MAX_SAMPLES + 1)
    ]


def _columns(rows: Sequence[Sequence[str]], folder: Path) -> tuple[int, int, bool] | None:
    """Return the columns of file names and of labels, and whether the first row is a header; None for other tables."""
    rows = [row for row in rows if row][: _N_INSPECTED + 1]
    if not rows or not 2 <= len(rows[0]) <= _MAX_COLUMNS:
        return None
    body = [row for row in rows[1:] if len(row) == len(rows[0])]
    first_names = [_is_file_name(cell, folder) for cell in rows[0]]
    has_header = not any(first_names)
    sample = body if has_header else [rows[0], *body]
    columns = range(len(rows[0]))
    file_column = next(
        (column for column in columns if sample and all(_is_file_name(row[column], folder) for row in sample)), None
    )
    if file_column is None:
        return None
    names = [cell.strip().lower() for cell in rows[0]] if has_header else [""] * len(rows[0])
    others = [column for column in columns if column != file_column and names[column] not in INDEX_NAMES - {""}]
    if not others:
        return None
    named = next((column for column in others if names[column] in _LABEL_WORDS), None)
    if named is not None:
        return file_column, named, has_header
    # Of the other columns, labels have the fewest different values; in a tie, the last column.
    return file_column, min(others, key=lambda column: (len({row[column] for row in sample}), -column)), has_header


def _is_file_name(cell: str, folder: Path) -> bool:
    if cell.lower().endswith(_SUFFIXES):
        return True
    path = _inside(folder, cell)
    return bool(cell) and not cell.isdigit() and path is not None and path.is_file()


def _inside(folder: Path, cell: str) -> Path | None:
    """Return the path that a cell names, relative to a folder; None if it cannot be a path in the folder."""
    parts = [part for part in cell.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or len(cell) > 1000 or "\0" in cell:
        return None
    return folder.joinpath(*parts)


class _Finder:
    """Finder of listed images: at their path, or anywhere below the folder if the name is unambiguous."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: dict[str, Path | None] | None = None

    def find(self, cell: str) -> Path | None:
        """Return the path of an image, or None if there is none."""
        path = _inside(self._folder, cell)
        try:
            if path is not None and path.is_file():
                return resolve_inside(self._folder, path)
        except OSError:
            return None
        if self._by_name is None:
            self._by_name = {}
            for found in files_below(self._folder):
                if is_image_name(found):
                    for name in (found.name, found.stem):
                        self._by_name[name] = None if name in self._by_name else found
        name = cell.replace("\\", "/").rpartition("/")[2]
        found_path = self._by_name.get(name)
        return None if found_path is None else resolve_inside(self._folder, found_path)
