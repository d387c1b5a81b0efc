"""Where what the user makes is kept: never beside the program's own files."""

import os
from pathlib import Path

import platformdirs

from digitpad.errors import FileError


def user_data_path() -> Path:
    """The user's data folder for this program, whether it is there or not; ``DIGITPAD_HOME`` puts it elsewhere."""
    chosen = os.environ.get("DIGITPAD_HOME")
    return Path(chosen) if chosen else platformdirs.user_data_path("digitpad", appauthor=False)


def user_data() -> Path:
    """The user's data folder, made if need be.

    Raises
    ------
    FileError
        If it cannot be made.
    """
    return ensure_folder(user_data_path())


def ensure_folder(folder: Path) -> Path:
    """The folder, made if need be.

    Raises
    ------
    FileError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be made ({error.strerror})") from error
    return folder
