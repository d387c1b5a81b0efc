"""Fetching data sets: file by file into a folder beside its place, checked, and put there only when all is complete.

What was fetched when the network went away is kept, and gone on with the next time.
"""

import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from digitpad import __version__
from digitpad.datasets.download.sources import SOURCES, DatasetSource, RemoteFile
from digitpad.datasets.readers.idx_folder import idx_files
from digitpad.errors import DataError, reason
from digitpad.system import user_folders

TIMEOUT_SECONDS = 15
_PIECE_BYTES = 2**16
_MEMBER = re.compile(r"gzip/(emnist-[a-z]+)-(train|test)-(images-idx3|labels-idx1)-ubyte\.gz")
_UNFINISHED = ".unfinished"

Tell = Callable[[int, int], None]
"""Hears how many bytes there are, of how many; what it raises ends the download, and what was fetched is kept."""


def sets_folder() -> Path:
    """The folder in the user's own that downloaded sets are put into, whether it is there or not."""
    return user_folders.user_data_path() / "datasets"


def downloaded() -> dict[str, Path]:
    """The sets that are there, by name; those of an archive each by its own."""
    found: dict[str, Path] = {}
    for source in SOURCES.values():
        folder = sets_folder() / source.name
        if source.archive and folder.is_dir():
            found |= {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and idx_files(path)}
        elif folder.is_dir():
            found[source.name] = folder
    return found


def download(source: DatasetSource, tell: Tell = lambda done, total: None) -> Path:
    """Fetch a data set into its folder, and return that; nothing is fetched that is there already.

    Raises
    ------
    DataError
        If no address gives a file as it must be, or it cannot be written. The folder is then not there, and what was
        fetched of its files is kept beside it for the next time.
    """
    place = user_folders.ensure_folder(sets_folder()) / source.name
    if place.is_dir():
        return place
    unfinished = user_folders.ensure_folder(place.with_name(place.name + _UNFINISHED))
    try:
        done = 0
        for file in source.files:
            _fetch_file(file, unfinished / file.name, partial(_tell_sum, tell, done, source.size))
            done += file.size
        if source.archive:
            _unpack(unfinished / source.files[0].name, unfinished)
        unfinished.replace(place)
        if source.archive:  # only now, when nothing could ask for it again
            (place / source.files[0].name).unlink()
    except OSError as error:
        raise DataError(unfinished, f"cannot be written ({reason(error)})") from error
    finally:
        if unfinished.is_dir() and not any(unfinished.iterdir()):
            unfinished.rmdir()
    return place


def _tell_sum(tell: Tell, before: int, total: int, done: int) -> None:
    """Tell of a file's bytes as of those of all files."""
    tell(before + done, total)


def _fetch_file(file: RemoteFile, path: Path, tell: Callable[[int], None]) -> None:
    """Fetch one file from the first address that gives it."""
    if path.is_file() and _is_right(path, file):
        tell(file.size)
        return
    part = path.with_name(path.name + ".part")
    problems = []
    for url in file.urls:
        try:
            _fetch(url, part, file.size, tell)
        except _NotFetchedError as error:
            problems.append(f"{_host(url)} {error}")
            continue
        if _is_right(part, file):
            with part.open("rb+") as written:
                os.fsync(written.fileno())
            part.replace(path)
            return
        part.unlink()
        problems.append(f"{_host(url)} has another file; expected {file.size:,} bytes with the SHA-256 {file.sha256}")
    kept = part.stat().st_size if part.is_file() else 0
    if part.is_file() and not kept:
        part.unlink()
    rest = f"; {kept:,} of {file.size:,} bytes are kept, to go on with" if kept else ""
    network = "; is there a network?" if all("cannot be reached" in problem for problem in problems) else ""
    raise DataError(file.name, f"could not be downloaded: {'; '.join(problems)}{network}{rest}")


def _host(url: str) -> str:
    return url.split("/")[2]


class _NotFetchedError(Exception):
    """An address did not give the file, or not all of it."""


def _fetch(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
    """Append to ``part`` what is missing of it."""
    begin = part.stat().st_size if part.is_file() else 0
    if begin >= size:  # whole already, or wrong: its sum tells
        return
    headers = {"User-Agent": f"digitpad/{__version__}", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            goes_on = response.status == 206 and _begins_at(response.headers.get("Content-Range", ""), begin)
            with part.open("ab" if goes_on else "wb") as file:
                _copy(response, file, begin if goes_on else 0, size, tell)
    except urllib.error.HTTPError as error:
        raise _NotFetchedError(f"says {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        text = reason(error.reason) if isinstance(error.reason, BaseException) else str(error.reason)
        raise _NotFetchedError(f"cannot be reached ({text})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _NotFetchedError(f"broke off ({reason(error)})") from error
    if part.stat().st_size < size:
        raise _NotFetchedError("broke off")


def _begins_at(content_range: str, begin: int) -> bool:
    """Whether a server that sends a part sends the one that was asked for."""
    return content_range.startswith(f"bytes {begin}-")


def _copy(response: IO[bytes], file: IO[bytes], done: int, size: int, tell: Callable[[int], None]) -> None:
    """Write what comes, and no more than one byte too many, however much that would be."""
    while piece := response.read(min(_PIECE_BYTES, size + 1 - done)):
        file.write(piece)
        done += len(piece)
        tell(min(done, size))


def _is_right(path: Path, file: RemoteFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


def _unpack(archive_path: Path, folder: Path) -> None:
    """Put the sets of EMNIST's archive into a folder each."""
    try:
        with zipfile.ZipFile(archive_path) as archive:
            for member in archive.infolist():
                match = _MEMBER.fullmatch(member.filename)
                if match is not None:
                    target = folder / match[1] / Path(member.filename).name
                    target.parent.mkdir(exist_ok=True)
                    with archive.open(member) as packed, target.open("wb") as file:
                        shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise DataError(archive_path, f"cannot be unpacked ({error})") from error
