"""Reader of datasets in zip and tar archives: they are unpacked into a temporary folder, within limits, and read there.

Archives of NumPy arrays (``.npz``) are read by `numpy_files` without unpacking.
"""

import contextlib
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import IO

from digitpad.datasets.digits import RawPart, ReaderResult
from digitpad.datasets.readers.idx import MAX_BYTES, may_unpack_to, opened
from digitpad.errors import DataError, reason
from digitpad.formats.progress import ProgressCallback

MAX_DIRECTORY_BYTES = 8 * 2**20
"""Size limit of a zip directory. ZipFile keeps a record of each member: 180,000 of them take 125 MB."""

MAX_FILES = 200_000
_CHUNK = 2**20
_END, _END_BYTES = b"PK\x05\x06", 22
_END_64 = b"PK\x06\x07"
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*]')

ReadFolder = Callable[[Path, ProgressCallback], ReaderResult]


def read_archive(path: Path, tell: ProgressCallback, read_folder: ReadFolder) -> ReaderResult:
    """Read the dataset in a zip or tar archive, raw or compressed.

    Raises
    ------
    DataError
        If the archive cannot be unpacked, or ``read_folder`` does not find a dataset; the path is the archive's.
    """
    with tempfile.TemporaryDirectory(prefix="digitpad-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve() / path.name.split(".")[0].replace(" ", "_").lstrip("._")
        folder.mkdir(exist_ok=True)
        _unpack(path, folder, tell)
        try:
            result = read_folder(folder, tell)
        except DataError as error:
            inner = _inner_name(error.path, folder)
            raise DataError(path, f"{inner}: {error.problem}" if inner else error.problem) from error
        return replace(
            result,
            training=_with_path(result.training, path),
            test=_with_path(result.test, path),
            format=f"{result.format} in an archive",
            skipped=tuple(text.replace(f"{folder}/", "") for text in result.skipped),
        )


def _with_path(part: RawPart | None, path: Path) -> RawPart | None:
    return None if part is None else replace(part, path=path)


def _inner_name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) and path != folder else ""


def _unpack(path: Path, folder: Path, tell: ProgressCallback) -> None:
    """Unpack the regular files of an archive into a folder.

    Raises
    ------
    DataError
        If the archive is damaged, encrypted or too large.
    """
    left, n_files = may_unpack_to(path.stat().st_size), 0
    try:
        with contextlib.closing(_members(path)) as members:
            for name, file in members:
                target = _target(folder, name)
                if target is None:
                    continue
                n_files += 1
                if n_files > MAX_FILES:
                    raise DataError(path, f"contains more than {MAX_FILES:,} files")
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as copy:
                    while chunk := file.read(min(_CHUNK, left + 1)):
                        left -= len(chunk)
                        if left < 0:
                            raise DataError(path, "is too large when unpacked, or is not an ordinary archive")
                        copy.write(chunk)
                        tell(0)
    except (
        OSError, EOFError, zlib.error, RuntimeError, ValueError, OverflowError, MemoryError, LookupError,
        zipfile.BadZipFile, tarfile.TarError,
    ) as error:  # fmt: skip
        raise DataError(path, f"cannot be unpacked ({reason(error)})") from error


def _members(path: Path) -> Generator[tuple[str, IO[bytes]], None, None]:
    """Yield the name and the content of each regular file in an archive."""
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
        if is_zip:
            check_directory(path, file, MAX_DIRECTORY_BYTES)
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        # zipfile decompresses other methods without a limit: 881 bytes of bzip2 took 2 GB.
                        raise DataError(path, f"{member.filename[:80]!r} is compressed by another method than deflate")
                    if not member.filename.endswith("/"):
                        with archive.open(member) as content:
                            yield member.filename, content
            return
    with opened(path) as (stream, size, zipped):
        limit = may_unpack_to(size) if zipped else size
        with tarfile.open(fileobj=_Limited(path, stream, limit), mode="r|") as tar:  # type: ignore[call-overload]
            for entry in tar:
                if entry.isreg() and (tar_content := tar.extractfile(entry)) is not None:
                    yield entry.name, tar_content


class _Limited:
    """Stream that raises a DataError after a number of bytes, because tarfile trusts the sizes in its headers."""

    def __init__(self, path: Path, stream: IO[bytes], limit: int) -> None:
        self._path = path
        self._stream = stream
        self._left = limit

    def read(self, n: int) -> bytes:
        """Return up to n bytes."""
        content = self._stream.read(min(n, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise DataError(self._path, "is too large when unpacked, or is not an ordinary archive")
        return content


def _target(folder: Path, name: str) -> Path | None:
    """Return the path to unpack a file to; None for hidden files and for names that lead out of the folder."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or any(part.startswith((".", "__")) or _UNSAFE.search(part) or len(part) > 200 for part in parts):
        return None
    return folder.joinpath(*parts[-8:])


def check_directory(path: Path, file: IO[bytes], max_bytes: int) -> None:
    """Check that a zip archive and its directory are not too large, before zipfile reads them.

    Raises
    ------
    DataError
        If they are, or there is no directory.
    """
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise DataError(path, f"is too large; the limit is {MAX_BYTES // 2**20} MB")
    file.seek(max(0, size - 2**16 - _END_BYTES))
    tail = file.read()
    start = len(tail) - _END_BYTES
    if start < 0 or not (tail.startswith(_END, start) and tail.endswith(b"\0\0")):
        start = tail.rfind(_END)  # as zipfile does, for an archive with a comment
    if start < 0 or _END_64 in tail[max(0, start - 20) : start]:
        raise DataError(path, "is not a zip archive or .npz file (its directory is missing or in zip64 format)")
    n_bytes = int.from_bytes(tail[start + 12 : start + 16], "little")
    if n_bytes > max_bytes:
        raise DataError(path, f"has a directory of {n_bytes:,} bytes; the limit is {max_bytes:,} bytes")
    file.seek(0)


def member_names(path: Path) -> list[str]:
    """Return the names of the files in a zip archive.

    Raises
    ------
    DataError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError
        If the archive cannot be read.
    """
    with path.open("rb") as file:
        check_directory(path, file, MAX_DIRECTORY_BYTES)
        with zipfile.ZipFile(file) as archive:
            return [member.filename for member in archive.infolist() if not member.filename.endswith("/")]
