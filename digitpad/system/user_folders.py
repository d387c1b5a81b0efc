"""Folders for user data, which is kept apart from the program's own files."""

import os
from pathlib import Path

import platformdirs

from digitpad.errors import FileError
from digitpad.system.atomic_write import write_atomically


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


def usual_runs_path() -> Path:
    """Return the folder of runs unless another was chosen."""
    return user_data_path() / "runs"


def runs_path() -> Path:
    """Return the folder of runs: the one chosen by `set_runs_path`, or the usual one."""
    try:
        chosen = os.fsdecode(_runs_choice().read_bytes()).strip()
    except (OSError, UnicodeDecodeError):
        chosen = ""
    # A power cut may leave a file of zeros.
    return Path(chosen) if chosen and "\0" not in chosen else usual_runs_path()


def set_runs_path(folder: Path | None) -> str:
    """Keep runs in a folder from now on, in the window and on the command line; None is the usual one.

    Returns
    -------
    str
        A problem, if the folder cannot be used; empty if it can. Runs that exist stay where they are.
    """
    try:
        if folder is None:
            _runs_choice().unlink(missing_ok=True)
            return ""
        folder = folder.expanduser()
        ensure_folder(folder)
        if not os.access(folder, os.W_OK):
            return f"{folder} cannot be written; choose another folder"
        user_data()
        write_atomically(_runs_choice(), os.fsencode(f"{folder.resolve()}\n"))
    except (FileError, OSError, RuntimeError, ValueError) as error:  # no such user; a null character
        return f"{error}; choose another folder"
    return ""


def _runs_choice() -> Path:
    return user_data_path() / "runs-folder.txt"


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
