"""Display names of network files: a file that belongs to a run has the name of the run."""

import contextlib
import json
from pathlib import Path


def network_name(path: Path) -> str:
    """Return the name of a network file for the user: the name of its run, or else the name of the file."""
    folder = path.parent
    if not is_of_run(path):
        return path.name
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if name := (folder / "name.txt").read_text("utf-8").strip()[:200]:
            return name
    with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
        return str(json.loads((folder / "run.json").read_text("utf-8"))["recipe"]["name"]) or path.name
    return path.name


def is_of_run(path: Path) -> bool:
    """Return whether a network file is the result of a run, in its folder."""
    return path.stem == path.parent.name and (path.parent / "run.json").is_file()


def run_start(path: Path) -> str:
    """Return the day and time at which the run of a network file started, as in ``11-30 08:27``, from its folder."""
    _, month, day, clock, *_ = f"{path.parent.name}----".split("-")
    return f"{month}-{day} {clock[:2]}:{clock[2:4]}"
