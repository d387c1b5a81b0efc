"""Display names of network files: a file that belongs to a run has the name of the run."""

import contextlib
import json
from pathlib import Path

from digitpad.formats.bounded_read import read_bounded

DESCRIPTION, MAX_DESCRIPTION_BYTES = "run.json", 1_000_000
"""Name of the file that describes a run, and its largest size; here, because the start must not import all of `run`."""

_MAX_NAME, _MAX_NAME_BYTES = 200, 10_000


def network_name(path: Path) -> str:
    """Return the name of a network file for the user: the name of its run, or else the name of the file."""
    folder = path.parent
    if not is_of_run(path):
        return path.name
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if name := read_bounded(folder / "name.txt", _MAX_NAME_BYTES).decode().strip()[:_MAX_NAME]:
            return name
    with contextlib.suppress(OSError, KeyError, TypeError, ValueError, RecursionError):
        about = json.loads(read_bounded(folder / DESCRIPTION, MAX_DESCRIPTION_BYTES))
        return str(about["recipe"]["name"])[:_MAX_NAME] or path.name
    return path.name


def is_of_run(path: Path) -> bool:
    """Return whether a network file is the result of a run, in its folder."""
    return path.stem == path.parent.name and (path.parent / DESCRIPTION).is_file()


def run_start(path: Path) -> str:
    """Return the day and time at which the run of a network file started, as in ``11-30 08:27``, from its folder."""
    _, month, day, clock, *_ = f"{path.parent.name}----".split("-")
    return f"{month}-{day} {clock[:2]}:{clock[2:4]}"
