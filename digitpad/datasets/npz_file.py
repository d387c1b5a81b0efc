"""Keras' ``mnist.npz``, and archives like it: images and labels of both parts as NumPy arrays, without pickle.

Nothing is unpacked or allocated before what the file claims is known to fit, and no array is unpacked that is not
asked for.
"""

import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.digits import SIDE, Found, Part, Tell, check_count, check_images, unheard
from digitpad.datasets.families import family_of
from digitpad.datasets.idx import MAX_BYTES, claims_too_much
from digitpad.errors import DataError, reason
from digitpad.npy import read_header

MAX_DIRECTORY_BYTES = 2**20
"""Of an archive's list of members; ZipFile keeps a record of each, 400 000 of which take 280 MB."""

_NAMES = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("training_images", "training_labels", "test_images", "test_labels"),
    ("images", "labels", "test_images", "test_labels"),
    ("x", "y", "x_test", "y_test"),
)

_OF_WEIGHTS = re.compile(r"(.*[._])?([wb]|weights?|bias(es)?|kernel|coefs?|thetas?|header)[_0-9]*", re.IGNORECASE)

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
    return any(set(pair[:2]) <= names for pair in _NAMES) and not named_as_weights(names)


def named_as_weights(names: Iterable[str]) -> list[str]:
    """Those of the names that weights and biases have."""
    return [name for name in names if _OF_WEIGHTS.fullmatch(name)]


def read_npz(path: Path, tell: Tell = unheard) -> Found:
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


def _read_archive(path: Path, archive: zipfile.ZipFile, tell: Tell) -> Found:
    members = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy").lower()
        if name in members:
            raise DataError(path, f"holds {name[:80]!r} twice")
        members[name] = member
    chosen = next((names for names in _NAMES if set(names[:2]) <= members.keys()), None)
    if chosen is None:
        found = ", ".join(repr(name[:40]) for name in list(members)[:6]) or "nothing"
        weights = ", which are weights, not data" if named_as_weights(members) else ""
        raise DataError(path, f"holds {found}{weights}; expected x_train, y_train, x_test and y_test")
    training = _read_part(path, archive, members[chosen[0]], members[chosen[1]], tell)
    in_test = [name in members for name in chosen[2:]]
    if any(in_test) and not all(in_test):
        raise DataError(
            path, f"holds no {chosen[2 + in_test.index(False)]!r} beside {chosen[2 + in_test.index(True)]!r}"
        )
    test = _read_part(path, archive, members[chosen[2]], members[chosen[3]], tell) if all(in_test) else None
    names = family_of(path.parent.name, path.name).class_names
    return Found(training, test, "NumPy archive", names)


def _read_part(
    path: Path, archive: zipfile.ZipFile, images: zipfile.ZipInfo, labels: zipfile.ZipInfo, tell: Tell
) -> Part:
    classes = _whole_numbers(path, labels.filename, _read_member(path, archive, labels, tell), 255)
    if classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    if classes.ndim != 1:
        raise DataError(path, f"array {labels.filename!r} has the shape {classes.shape}; expected one label an image")
    check_count(path, len(classes))
    pixels = _whole_numbers(path, images.filename, _read_member(path, archive, images, tell), 255)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 2 and pixels.shape[1] == SIDE * SIDE:
        pixels = pixels.reshape(-1, SIDE, SIDE)
    if pixels.ndim != 3:
        raise DataError(path, f"array {images.filename!r} has the shape {pixels.shape}; expected (n, {SIDE}, {SIDE})")
    check_images(path, pixels)
    if len(pixels) != len(classes):
        raise DataError(path, f"has {len(classes)} labels for {len(pixels)} images")
    return Part(np.ascontiguousarray(pixels), np.ascontiguousarray(classes), path)


def _whole_numbers(path: Path, name: str, array: NDArray[Any], most: int) -> NDArray[np.uint8]:
    """The same numbers as bytes, checked before they are cast, which would wrap 300 to 44 and NaN to 0."""
    if array.dtype == np.uint8:
        return array
    whole = np.empty(array.shape, np.uint8)
    for row in range(0, len(array) if array.ndim else 0, 4096):
        values = array[row : row + 4096]
        good = (values >= 0) & (values <= most)
        if values.dtype.kind == "f":
            good &= values == np.floor(values)
        if not good.all():
            place = np.unravel_index(int(np.argmin(good)), good.shape)
            text = f"row {row + int(place[0])} of {name!r} holds {values[place]}"
            raise DataError(path, f"{text}; expected whole numbers of 0 to {most}")
        whole[row : row + 4096] = values
    return whole


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
        if len(shape) > 4 or claims_too_much(max(n_bytes, *shape, 0), min(member.compress_size, path.stat().st_size)):
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
