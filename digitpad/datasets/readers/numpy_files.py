"""Reader of NumPy arrays: archives such as Keras' ``mnist.npz``, and folders with a file per array, without pickle.

Sizes that a file claims are checked before anything is decompressed or allocated, and only required arrays are read.
"""

import contextlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.conversion.named_arrays import found_in, has_pair
from digitpad.datasets.conversion.table_layout import dataset_in_table, has_table
from digitpad.datasets.digits import ReaderResult, resolve_inside
from digitpad.datasets.readers.archive import check_directory
from digitpad.datasets.readers.folder_walk import entries
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to
from digitpad.errors import DataError, reason
from digitpad.formats.npy_header import NpyHeader, read_header
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAX_DIRECTORY_BYTES = 2**20
"""Size limit of an archive's directory. ZipFile keeps a record of each member, and 400,000 of them take 280 MB."""

MAGIC = b"\x93NUMPY"
_MAX_ARRAYS = 64
_MAX_DIMENSIONS = 4
_NUMBERS = "biuf"


@dataclass(frozen=True)
class _Array:
    """Array in a file: its header, the file's size on disk, and how to open it."""

    label: str
    header: NpyHeader
    packed_bytes: int
    is_packed: bool
    open: Callable[[], contextlib.AbstractContextManager[IO[bytes]]]


def has_npz_data(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether an archive has arrays of images and labels, and none named as weights.

    Raises
    ------
    DataError
        If the archive cannot be read.
    """
    with _archive(path) as arrays:
        shapes = _shapes(arrays)
        return has_pair(shapes, lambda name: _content(path, arrays[name], tell))


def read_npz(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in an ``.npz``; array names, or else shapes, show which arrays are images and labels.

    Raises
    ------
    DataError
        If the file cannot be read, is not such an archive, or an array does not match its name.
    """
    with _archive(path) as arrays:
        return found_in(path, _shapes(arrays), lambda name: _content(path, arrays[name], tell), "NumPy archive")


def has_npy_data(path: Path, tell: ProgressCallback = ignore_progress) -> bool:
    """Return whether a folder of ``.npy`` files, or the folder of such a file, has images and labels.

    Raises
    ------
    DataError
        If a file cannot be read.
    """
    arrays = _folder(path)
    if has_pair(_shapes(arrays), lambda name: _content(path, arrays[name], tell)):
        return True
    return path.is_file() and has_table(_content(path, _of_file(path), tell))


def read_npy_files(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in a folder of ``.npy`` files, or in the folder of such a file.

    A file may also be a table by itself, with a row for each image and a column for its label.

    Raises
    ------
    DataError
        If a file cannot be read, or no arrays are images and labels.
    """
    arrays = _folder(path)
    try:
        return found_in(path, _shapes(arrays), lambda name: _content(path, arrays[name], tell), "NumPy files")
    except DataError as error:
        if path.is_file() and len(arrays) == 1:
            table = _content(path, _of_file(path), tell)
            if has_table(table):
                return dataset_in_table(path, table, "NumPy file")
            raise DataError(
                path,
                f"is a single array of shape {table.shape}; put the labels beside it in a .npy file, or save images "
                "and labels together in an .npz file as x_train and y_train",
            ) from error
        raise


def _folder(path: Path) -> dict[str, _Array]:
    """Return the arrays of a folder by the names of their files, with those of a ``train`` and a ``test`` folder."""
    folder = path if path.is_dir() else path.parent
    files, folders = entries(folder)
    found: list[tuple[str, Path]] = [(file.stem, file) for file in files]
    if path.is_dir():
        for inner in folders[:8]:
            found += [(f"{inner.name}.{file.stem}", file) for file in entries(resolve_inside(folder, inner))[0]]
    arrays: dict[str, _Array] = {}
    for name, file in found:
        if file.suffix.lower() == ".npy" and len(arrays) < _MAX_ARRAYS and file.is_file():
            try:
                array = _of_file(resolve_inside(folder, file))
            except DataError:
                if file == path:
                    raise
                continue
            arrays[name] = array
    if path.is_file() and path.stem not in arrays:
        arrays[path.stem] = _of_file(path)
    return arrays


def _of_file(path: Path) -> _Array:
    try:
        with path.open("rb") as file:
            header = read_header(file)
        return _Array("array", header, path.stat().st_size, False, lambda: path.open("rb"))
    except (OSError, ValueError) as error:
        raise DataError(path, f"cannot be read as an array: it {reason(error)}") from error


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[dict[str, _Array]]:
    """Open an archive: yield its arrays by name, in lower case only if that is unambiguous."""
    try:
        with path.open("rb") as file:
            check_directory(path, file, MAX_DIRECTORY_BYTES)
            with zipfile.ZipFile(file) as archive:
                yield _members(path, archive)
    except DataError:
        raise
    except zipfile.BadZipFile as error:
        raise DataError(path, f"is not an .npz file ({error})") from error
    # zipfile and zlib raise these for damaged or encrypted members and unknown compression methods.
    except (OSError, EOFError, zlib.error, RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, _Array]:
    arrays: dict[str, _Array] = {}
    for member in archive.infolist()[:_MAX_ARRAYS]:
        name, label = member.filename.removesuffix(".npy"), f"array {member.filename[:80]!r}"
        if name in arrays:
            raise DataError(path, f"contains {name[:80]!r} twice")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # zipfile decompresses other methods without a limit: 881 bytes of bzip2 took 2 GB.
            raise DataError(path, f"{label} cannot be read: its compression is not deflate")
        if name == member.filename:
            continue
        with archive.open(member) as file:
            try:
                header = read_header(file)
            except ValueError as error:
                raise DataError(path, f"{label} {error}") from error
        packed_bytes = min(member.compress_size, path.stat().st_size)
        arrays[name] = _Array(label, header, packed_bytes, True, lambda member=member: archive.open(member))  # type: ignore[misc]
    return arrays


def _shapes(arrays: dict[str, _Array]) -> dict[str, tuple[int, ...]]:
    return {name: array.header.shape for name, array in arrays.items()}


def _content(path: Path, array: _Array, tell: ProgressCallback) -> NDArray[Any]:
    """Read an array in NumPy's format (version 1, 2 or 3)."""
    label, dtype, shape, n_bytes = array.label, array.header.dtype, array.header.shape, array.header.n_bytes
    if dtype.kind not in _NUMBERS:
        raise DataError(path, f"{label} is not a plain array of numbers")
    limit = may_unpack_to(array.packed_bytes) if array.is_packed else MAX_BYTES
    # A size of 0 among others makes the product small.
    if len(shape) > _MAX_DIMENSIONS or max(n_bytes, *shape, 0) > limit:
        raise DataError(path, f"{label} claims the shape {str(shape)[:100]}, which is too large")
    if not array.is_packed and n_bytes > array.packed_bytes:
        raise DataError(path, f"{label} of shape {shape} needs {n_bytes:,} bytes, but has only {array.packed_bytes:,}")
    with array.open() as file:
        read_header(file)
        content = np.empty(n_bytes, np.uint8)
        n_read = _read_into(file, content, tell)
    if n_read != n_bytes:
        size = "more" if n_read > n_bytes else f"only {n_read:,}"
        raise DataError(path, f"{label} of shape {shape} needs {n_bytes:,} bytes, but has {size}")
    result = content.view(dtype).reshape(shape, order="F" if array.header.by_columns else "C")
    return result.astype(dtype.newbyteorder("="), copy=False)


def _read_into(file: IO[bytes], content: NDArray[np.uint8], tell: ProgressCallback) -> int:
    """Fill the array and return the number of bytes available, at most one more than fit."""
    n_read = 0
    while chunk := file.read(min(2**20, len(content) - n_read + 1)):
        if n_read + len(chunk) > len(content):
            return len(content) + 1
        content[n_read : n_read + len(chunk)] = np.frombuffer(chunk, np.uint8)
        n_read += len(chunk)
        tell(0)
    return n_read
