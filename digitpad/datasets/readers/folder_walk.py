"""Listing of the files below a folder, within limits and without leaving the folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from digitpad.datasets.digits import resolve_inside
from digitpad.errors import DataError, reason

MAX_DEPTH = 4
MAX_ENTRIES = 1_100_000


def files_below(folder: Path, depth: int = MAX_DEPTH) -> Iterator[Path]:
    """Yield the regular files in a folder and its subfolders, sorted within each folder, files before subfolders.

    Hidden files and folders are skipped, and so are pipes and devices, on which reading would block.

    Raises
    ------
    DataError
        If a folder cannot be read, has too many entries, or a subfolder is a link out of the folder.
    """
    return _walk(folder, folder, depth)


def _walk(root: Path, folder: Path, depth: int) -> Iterator[Path]:
    files, folders = entries(folder)
    yield from files
    if depth:
        for path in folders:
            if path.is_symlink():
                resolve_inside(root, path)
                continue  # its files are listed where they are
            yield from _walk(root, path, depth - 1)


def entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the regular files and the subfolders of a folder, each sorted by name, without hidden ones.

    Raises
    ------
    DataError
        If the folder cannot be read, or has too many entries.
    """
    files, folders = [], []
    try:
        with os.scandir(folder) as found:
            for n, entry in enumerate(found):
                if n == MAX_ENTRIES:
                    raise DataError(folder, f"has more than {MAX_ENTRIES:,} files")
                if not entry.name.startswith((".", "__")):
                    if entry.is_dir():
                        folders.append(entry.name)
                    elif entry.is_file() or entry.is_symlink():
                        files.append(entry.name)
    except OSError as error:
        raise DataError(folder, f"cannot be read ({reason(error)})") from error
    return [folder / name for name in sorted(files)], [folder / name for name in sorted(folders)]
