"""Reader of Keras' ``mnist.npz`` and similar archives: training and test set as NumPy arrays, without pickle.

Sizes that a file claims are checked before anything is decompressed or allocated, and only required arrays are read.
"""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import ReaderResult
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to
from digitpad.datasets.readers.named_arrays import found_in, training_pair
from digitpad.errors import DataError, reason
from digitpad.formats.npy_header import read_header
from digitpad.formats.progress import ProgressCallback, ignore_progress

MAX_DIRECTORY_BYTES = 2**20
"""Size limit of an archive's directory. ZipFile keeps a record of each member, and 400,000 of them take 280 MB."""

_END, _END_BYTES = b"PK\x05\x06", 22
_END_64 = b"PK\x06\x07"


def is_archive(path: Path) -> bool:
    """Return whether the file has the first bytes of a zip archive."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)


def has_data(path: Path) -> bool:
    """Return whether an archive has arrays named as training images and labels, and none named as weights.

    Raises
    ------
    DataError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError
        If the archive cannot be read.
    """
    with path.open("rb") as file:
        _check_directory(path, file)
        with zipfile.ZipFile(file) as archive:
            names = {name.removesuffix(".npy").lower() for name in archive.namelist()}
    return training_pair(names) is not None


def read_npz(path: Path, tell: ProgressCallback = ignore_progress) -> ReaderResult:
    """Read the dataset in an ``.npz`` with arrays named as in Keras, or similarly.

    Raises
    ------
    DataError
        If the file cannot be read, is not such an archive, or an array does not match its name.
    """
    try:
        with path.open("rb") as file:
            _check_directory(path, file)
            with zipfile.ZipFile(file) as archive:
                return _read_archive(path, archive, tell)
    except DataError:
        raise
    except zipfile.BadZipFile as error:
        raise DataError(path, f"is not an .npz file ({error})") from error
    # zipfile and zlib raise these for damaged or encrypted members and unknown compression methods.
    except (OSError, EOFError, zlib.error, RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def _check_directory(path: Path, file: BinaryIO) -> None:
    """Check that the archive and its directory are not too large, before zipfile reads them."""
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise DataError(path, f"is too large; the limit is {MAX_BYTES // 2**20} MB")
    file.seek(max(0, size - 2**16 - _END_BYTES))
    tail = file.read()
    start = len(tail) - _END_BYTES
    if start < 0 or not (tail.startswith(_END, start) and tail.endswith(b"\0\0")):
        start = tail.rfind(_END)  # as zipfile does, for an archive with a comment
    if start < 0 or _END_64 in tail[max(0, start - 20) : start]:
        raise DataError(path, "is not an .npz file (its directory is missing or in zip64 format)")
    n_bytes = int.from_bytes(tail[start + 12 : start + 16], "little")
    if n_bytes > MAX_DIRECTORY_BYTES:
        raise DataError(path, f"has a directory of {n_bytes:,} bytes; the limit is {MAX_DIRECTORY_BYTES:,} bytes")
    file.seek(0)


def _read_archive(path: Path, archive: zipfile.ZipFile, tell: ProgressCallback) -> ReaderResult:
    members = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy").lower()
        if name in members:
            raise DataError(path, f"contains {name[:80]!r} twice")
        members[name] = member
    return found_in(path, members, lambda name: _read_member(path, archive, members[name], tell), "NumPy archive")


def _read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, tell: ProgressCallback) -> NDArray[Any]:
    """Read an array in NumPy's format (version 1, 2 or 3)."""
    label = f"array {member.filename[:80]!r}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile decompresses other methods without a limit: 881 bytes of bzip2 took 2 GB.
        raise DataError(path, f"{label} cannot be read: its compression is not deflate")
    with archive.open(member) as file:
        try:
            header = read_header(file)
        except ValueError as error:
            raise DataError(path, f"{label} {error}") from error
        dtype, shape, n_bytes = header.dtype, header.shape, header.n_bytes
        if dtype.kind not in "biuf":
            raise DataError(path, f"{label} is not a plain array of numbers")
        if len(shape) > 4 or max(n_bytes, *shape, 0) > may_unpack_to(min(member.compress_size, path.stat().st_size)):
            raise DataError(path, f"{label} claims the shape {str(shape)[:100]}, which is too large")
        content = np.empty(n_bytes, np.uint8)
        n_read = _read_into(file, content, tell)
    if n_read != n_bytes:
        size = "more" if n_read > n_bytes else f"only {n_read:,}"
        raise DataError(path, f"{label} of shape {shape} needs {n_bytes:,} bytes, but has {size}")
    array = content.view(dtype).reshape(shape, order="F" if header.by_columns else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


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
