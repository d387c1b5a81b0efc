"""Where what the user makes is kept: never beside the program's own files."""

import os
from pathlib import Path

import platformdirs

from digitpad.errors import FileError


def user_data() -> Path:
    """The user's data folder for this program, made if need be; ``DIGITPAD_HOME`` puts it elsewhere."""
    chosen = os.environ.get("DIGITPAD_HOME")
    folder = Path(chosen) if chosen else platformdirs.user_data_path("digitpad", appauthor=False)
    return made(folder)


def made(folder: Path) -> Path:
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


def unused(path: Path) -> Path:
    """``path`` if nothing is there, else the same with the first free number behind its name."""
    number, candidate = 1, path
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate
