"""Writing a file so that it is the old one or the new one at every moment, and never half of either."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` into ``path``, replacing what is there in one step, and only once it is safely on disk.

    The bytes are written to a temporary file beside the target, flushed, read back and compared, and then
    renamed over it; the folder is flushed last, so that the rename itself outlives a power cut.

    Raises
    ------
    OSError
        When it cannot be written, as on a full disk; the file at ``path`` is then as it was.
    """
    path = path.resolve()  # a link stays a link: its target is what is replaced
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
    _sync_folder(path.parent)


def _compare(path: Path, content: bytes) -> None:
    if path.read_bytes() != content:
        raise OSError("what was written does not read back the same")


def _keep_mode(path: Path, temporary: Path) -> None:
    """Give the new file the permissions of the one it replaces, or those any new file would get."""
    if os.name == "nt":
        return
    if path.exists():
        mode = path.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    temporary.chmod(mode)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there, and NTFS journals the rename
        return
    with contextlib.suppress(OSError):  # some network file systems refuse fsync on a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
