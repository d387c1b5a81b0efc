"""Keras' ``mnist.npz``, and archives like it: images and labels of both parts as NumPy arrays, without pickle.

Nothing is unpacked or allocated before what the file claims is known to fit, and no array is unpacked that is not
asked for.
"""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import ReaderResult, Tell, ignore_progress
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to
from digitpad.datasets.readers.named_arrays import found_in, training_pair
from digitpad.errors import DataError, reason
from digitpad.formats.npy_header import read_header

MAX_DIRECTORY_BYTES = 2**20
"""Of an archive's list of members; ZipFile keeps a record of each, 400 000 of which take 280 MB."""

_END, _END_BYTES = b"PK\x05\x06", 22
_END_64 = b"PK\x06\x07"


def is_archive(path: Path) -> bool:
    """Whether the file begins as a zip archive does."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", _END)


def has_data(path: Path) -> bool:
    """Whether an archive's arrays have the names of a data set's that can be trained on, and none those of weights.

    Raises
    ------
    DataError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError
        If it cannot be looked into.
    """
    with path.open("rb") as file:
        _check_directory(path, file)
        with zipfile.ZipFile(file) as archive:
            names = {name.removesuffix(".npy").lower() for name in archive.namelist()}
    return training_pair(names) is not None


def read_npz(path: Path, tell: Tell = ignore_progress) -> ReaderResult:
    """The data set in an ``.npz`` with arrays named as Keras names them, or nearly so.

    Raises
    ------
    DataError
        If the file cannot be read, is no such archive, or an array in it is not what its name says.
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
    # What zipfile and zlib raise on damaged or encrypted members and on methods they do not know.
    except (OSError, EOFError, zlib.error, RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(path, f"cannot be read ({reason(error)})") from error


def _check_directory(path: Path, file: BinaryIO) -> None:
    """Refuse a list of members that is too long to be read, before zipfile reads it."""
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise DataError(path, f"is {size} bytes long; at most {MAX_BYTES} are read")
    file.seek(max(0, size - 2**16 - _END_BYTES))
    tail = file.read()
    begin = len(tail) - _END_BYTES
    if begin < 0 or not (tail.startswith(_END, begin) and tail.endswith(b"\0\0")):
        begin = tail.rfind(_END)  # where zipfile looks next, for an archive with a comment
    if begin < 0 or _END_64 in tail[max(0, begin - 20) : begin]:
        raise DataError(path, "is not an .npz file (its list of members is not found, or of a kind that NumPy has not)")
    n_bytes = int.from_bytes(tail[begin + 12 : begin + 16], "little")
    if n_bytes > MAX_DIRECTORY_BYTES:
        raise DataError(path, f"has a list of members of {n_bytes} bytes; at most {MAX_DIRECTORY_BYTES} are read")
    file.seek(0)


def _read_archive(path: Path, archive: zipfile.ZipFile, tell: Tell) -> ReaderResult:
    members = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy").lower()
        if name in members:
            raise DataError(path, f"holds {name[:80]!r} twice")
        members[name] = member
    return found_in(path, members, lambda name: _read_member(path, archive, members[name], tell), "NumPy archive")


def _read_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, tell: Tell) -> NDArray[Any]:
    """One array in NumPy's format (version 1, 2 or 3)."""
    what = f"array {member.filename[:80]!r}"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # zipfile unpacks the other methods without a bound: 881 bytes of bzip2 took 2 GB.
        raise DataError(path, f"{what} cannot be read: its compression is not deflate")
    with archive.open(member) as file:
        try:
            header = read_header(file)
        except ValueError as error:
            raise DataError(path, f"{what} {error}") from error
        dtype, shape, n_bytes = header.dtype, header.shape, header.n_bytes
        if dtype.kind not in "biuf":
            raise DataError(path, f"{what} is not a plain array of numbers")
        if len(shape) > 4 or max(n_bytes, *shape, 0) > may_unpack_to(min(member.compress_size, path.stat().st_size)):
            raise DataError(path, f"{what} claims the shape {str(shape)[:100]}, which is more than is read")
        content = np.empty(n_bytes, np.uint8)
        n_read = _read_into(file, content, tell)
    if n_read != n_bytes:
        found = "more" if n_read > n_bytes else f"only {n_read}"
        raise DataError(path, f"{what} of shape {shape} needs {n_bytes} bytes, but there are {found}")
    array = content.view(dtype).reshape(shape, order="F" if header.by_columns else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_into(file: IO[bytes], content: NDArray[np.uint8], tell: Tell) -> int:
    """Fill the array; how many bytes there were for it, one more than fit at most."""
    place = 0
    while piece := file.read(min(2**20, len(content) - place + 1)):
        if place + len(piece) > len(content):
            return len(content) + 1
        content[place : place + len(piece)] = np.frombuffer(piece, np.uint8)
        place += len(piece)
        tell(0)
    return place
