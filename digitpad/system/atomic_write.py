"""Atomic file writes: at every moment, a file has either its old or its new content."""

import contextlib
import errno
import os
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

REPLACE_S = 2.0
"""How long a rename is tried again while another program, such as a virus scanner, has the target open on Windows."""

IS_WINDOWS = os.name == "nt"

_N_TRIES = 20
_NAME_CHARACTERS = 32  # of the target's name in the temporary name, which the file system may limit to 255 bytes


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, replacing an existing file atomically once the new content is safely on disk.

    The bytes are written to a temporary file in the same folder, flushed, read back and compared. Then the temporary
    file is renamed to ``path``. Finally, the folder is flushed, so that the rename survives a power cut. On Windows, a
    rename fails while another program has the target open; it is then tried again for `REPLACE_S`.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full; the file at ``path`` is then unchanged. The
        error's ``filename`` is the path.
    """
    path = path.resolve()  # replace the target of a symbolic link, not the link itself
    try:
        _write(path, content)
    except OSError as error:
        error.filename = str(path)  # neither a full disk nor the temporary file's name says which file it was
        raise
    sync_folder(path.parent)


def is_partial(name: str, targets: Iterable[str]) -> bool:
    """Return whether a file name is that of a temporary file for one of the target names."""
    return any(re.fullmatch(rf"{re.escape(_prefix(target))}[a-z0-9_]{{8}}\.part", name) for target in targets)


def _prefix(name: str) -> str:
    return f".{name[:_NAME_CHARACTERS]}."


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=_prefix(path.name), suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _compare(temporary, content)
        _keep_mode(path, temporary)
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _replace(temporary: Path, path: Path) -> None:
    for n_left in reversed(range(_N_TRIES)):
        try:
            temporary.replace(path)
        except PermissionError as error:
            # Elsewhere a rename is refused only for lack of permission, which waiting does not change.
            if not IS_WINDOWS or path.is_dir():
                raise
            if not n_left:
                raise PermissionError(
                    error.errno, "another program has the file open; close it and try again"
                ) from error
            time.sleep(REPLACE_S / _N_TRIES)
        else:
            return


def _compare(path: Path, content: bytes) -> None:
    if path.read_bytes() != content:
        raise OSError(errno.EIO, "the disk returned different data than was written")


def _keep_mode(path: Path, temporary: Path) -> None:
    """Give the new file the permissions of the file that it replaces, or the default permissions of a new file."""
    if IS_WINDOWS:
        return
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    temporary.chmod(mode)


def sync_folder(folder: Path) -> None:
    """Flush a folder to disk, so that new names in it survive a power cut."""
    if IS_WINDOWS:  # Windows cannot open a folder, and NTFS journals the rename
        return
    with contextlib.suppress(OSError):  # some network file systems refuse fsync on a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
