"""Atomic file writes: at every moment, a file has either its old or its new content."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, replacing an existing file atomically once the new content is safely on disk.

    The bytes are written to a temporary file in the same folder, flushed, read back and compared. Then the temporary
    file is renamed to ``path``. Finally, the folder is flushed, so that the rename survives a power cut.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full; the file at ``path`` is then unchanged.
    """
    path = path.resolve()  # replace the target of a symbolic link, not the link itself
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:32]}.", suffix=".part", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _compare(temporary, content)
        _keep_mode(path, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _compare(path: Path, content: bytes) -> None:
    if path.read_bytes() != content:
        raise OSError("the disk returned different data than was written")


def _keep_mode(path: Path, temporary: Path) -> None:
    """Give the new file the permissions of the file that it replaces, or the default permissions of a new file."""
    if os.name == "nt":
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
    if os.name == "nt":  # Windows cannot open a folder, and NTFS journals the rename
        return
    with contextlib.suppress(OSError):  # some network file systems refuse fsync on a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
