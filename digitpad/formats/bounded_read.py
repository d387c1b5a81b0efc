"""Reading of small files from unknown sources: only regular files, and never more bytes than expected."""

import os
import stat
from pathlib import Path


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most ``max_bytes`` bytes.

    A named pipe would block until another program writes to it, and a device such as ``/dev/zero`` never ends.

    Raises
    ------
    OSError
        If the file cannot be read, is not a regular file, or is larger.
    """
    # Opening a named pipe blocks without O_NONBLOCK; Windows translates line ends without O_BINARY.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is not a regular file")
        if status.st_size > max_bytes:
            raise OSError(f"it is larger than {max_bytes:,} bytes")
        return file.read(status.st_size)  # ignore bytes that another process appends in the meantime
