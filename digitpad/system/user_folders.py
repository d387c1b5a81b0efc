"""Folders for user data, which is kept apart from the program's own files."""

import os
from pathlib import Path

import platformdirs

from digitpad.errors import FileError


def user_data_path() -> Path:
    """Return the user's data folder, which may not exist yet; ``DIGITPAD_HOME`` overrides the system's default."""
    override = os.environ.get("DIGITPAD_HOME")
    if override:
        return Path(override)
    return platformdirs.user_data_path("digitpad", appauthor=False)


def home() -> Path:
    """Return the user's home folder, or the current folder if the system does not know it."""
    try:
        return Path.home()
    except RuntimeError:
        return Path.cwd()


def user_data() -> Path:
    """Return the user's data folder, and create it if it does not exist.

    Raises
    ------
    FileError
        If the folder cannot be created.
    """
    return ensure_folder(user_data_path())


def ensure_folder(folder: Path) -> Path:
    """Create the folder if it does not exist, and return it.

    Raises
    ------
    FileError
        If the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be created ({error.strerror})") from error
    return folder
