"""Check whether a process holds a lock file, also in a folder that cannot be written."""

import importlib.util
import os
from pathlib import Path

from filelock import FileLock, Timeout


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock; False if there is no lock file and none can be created."""
    try:
        with FileLock(path).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return _is_locked_read_only(path)


def _is_locked_read_only(path: Path) -> bool:
    """Return whether a process holds the lock, without write access; Windows cannot tell, and returns False."""
    if importlib.util.find_spec("fcntl") is None:
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)  # releases the lock
    return False
