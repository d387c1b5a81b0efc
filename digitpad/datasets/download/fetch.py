"""Download of datasets.

Files are downloaded into a temporary folder and verified. The folder gets its final name when all files are complete.
After an interruption, the next download resumes with the bytes that are already there.
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

from filelock import FileLock, Timeout

from digitpad import __version__
from digitpad.datasets.download.sources import SOURCES, DatasetSource, RemoteFile
from digitpad.datasets.readers.idx_folder import idx_files
from digitpad.errors import DataError, reason
from digitpad.system import user_folders

TIMEOUT_SECONDS = 15
_CHUNK_BYTES = 2**16
_MEMBER = re.compile(r"gzip/(emnist-[a-z]+)-(train|test)-(images-idx3|labels-idx1)-ubyte\.gz")
_UNFINISHED = ".unfinished"

DownloadCallback = Callable[[int, int], None]
"""Progress callback: downloaded bytes and total bytes. An exception stops the download; downloaded bytes are kept."""


def sets_folder() -> Path:
    """Return the folder of downloaded datasets in the user's data folder; it may not exist yet."""
    return user_folders.user_data_path() / "datasets"


def downloaded() -> dict[str, Path]:
    """Return the folders of downloaded datasets by name; each dataset of an archive has its own entry."""
    folders: dict[str, Path] = {}
    for source in SOURCES.values():
        folder = sets_folder() / source.name
        if source.archive and folder.is_dir():
            folders |= {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and idx_files(path)}
        elif folder.is_dir():
            folders[source.name] = folder
    return folders


def download(source: DatasetSource, tell: DownloadCallback = lambda done, total: None) -> Path:
    """Download a dataset and return its folder; skip the download if the folder exists.

    Raises
    ------
    DataError
        If no URL serves a file with the expected content, a file cannot be written, or another process or thread is
        downloading the dataset. The folder does not exist then;
        the bytes downloaded so far are kept next to it, and the next download resumes there.
    """
    folder = user_folders.ensure_folder(sets_folder()) / source.name
    if folder.is_dir():
        return folder
    try:
        # Two downloads would append to the same file. The lock is released when its process ends, for any reason.
        with FileLock(folder.with_name(f".{folder.name}.lock"), thread_local=False).acquire(timeout=0):
            return folder if folder.is_dir() else _download(source, folder, tell)
    except Timeout as error:
        raise DataError(folder, "is being downloaded already, possibly in another window") from error


def _download(source: DatasetSource, folder: Path, tell: DownloadCallback) -> Path:
    unfinished = user_folders.ensure_folder(folder.with_name(folder.name + _UNFINISHED))
    try:
        done = 0
        for file in source.files:
            _fetch_file(file, unfinished / file.name, partial(_report_total, tell, done, source.size))
            done += file.size
        if source.archive:
            _unpack(unfinished / source.files[0].name, unfinished)
        unfinished.replace(folder)
        if source.archive:  # only now, so that a failure before does not download it again
            (folder / source.files[0].name).unlink()
    except OSError as error:
        raise DataError(unfinished, f"cannot be written ({reason(error)})") from error
    finally:
        if unfinished.is_dir() and not any(unfinished.iterdir()):
            unfinished.rmdir()
    return folder


def _report_total(tell: DownloadCallback, before: int, total: int, done: int) -> None:
    """Report the bytes of a file as part of the total of all files."""
    tell(before + done, total)


def _fetch_file(file: RemoteFile, path: Path, tell: Callable[[int], None]) -> None:
    """Download a file from the first URL that serves it with the expected content."""
    if path.is_file() and _is_valid(path, file):
        tell(file.size)
        return
    part = path.with_name(path.name + ".part")
    problems = []
    for url in file.urls:
        try:
            _fetch(url, part, file.size, tell)
        except _FetchError as error:
            problems.append(f"{_host(url)} {error}")
            continue
        if _is_valid(part, file):
            with part.open("rb+") as written:
                os.fsync(written.fileno())
            part.replace(path)
            return
        part.unlink()
        problems.append(f"{_host(url)} sent a different file; expected {file.size:,} bytes with SHA-256 {file.sha256}")
    kept = part.stat().st_size if part.is_file() else 0
    if part.is_file() and not kept:
        part.unlink()
    rest = f"; try again to resume after {kept:,} of {file.size:,} bytes" if kept else ""
    network = "; check the internet connection" if all("cannot be reached" in problem for problem in problems) else ""
    raise DataError(file.name, f"could not be downloaded: {'; '.join(problems)}{network}{rest}")


def _host(url: str) -> str:
    return url.split("/")[2]


class _FetchError(Exception):
    """Error for a URL that did not serve the complete file."""


def _fetch(url: str, part: Path, size: int, tell: Callable[[int], None]) -> None:
    """Download the missing bytes of a file and append them to ``part``."""
    begin = part.stat().st_size if part.is_file() else 0
    if begin >= size:  # complete or wrong; the caller checks the SHA-256
        return
    headers = {"User-Agent": f"digitpad/{__version__}", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            resumes = response.status == 206 and _starts_at(response.headers.get("Content-Range", ""), begin)
            with part.open("ab" if resumes else "wb") as file:
                _copy(response, file, begin if resumes else 0, size, tell)
    except urllib.error.HTTPError as error:
        raise _FetchError(f"answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        text = reason(error.reason) if isinstance(error.reason, BaseException) else str(error.reason)
        raise _FetchError(f"cannot be reached ({text})") from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _FetchError(f"lost the connection ({reason(error)})") from error
    if part.stat().st_size < size:
        raise _FetchError("closed the connection early")


def _starts_at(content_range: str, begin: int) -> bool:
    """Return whether the server sent the requested range."""
    return content_range.startswith(f"bytes {begin}-")


def _copy(response: IO[bytes], file: IO[bytes], done: int, size: int, tell: Callable[[int], None]) -> None:
    """Write the response to the file, and stop after one byte more than ``size``."""
    while chunk := response.read(min(_CHUNK_BYTES, size + 1 - done)):
        file.write(chunk)
        done += len(chunk)
        tell(min(done, size))


def _is_valid(path: Path, file: RemoteFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256


def _unpack(archive_path: Path, folder: Path) -> None:
    """Unpack each dataset of EMNIST's archive to its own folder."""
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
