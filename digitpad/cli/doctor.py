"""``digitpad doctor``: check what digitpad needs from the system, and say what to do."""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digitpad import __version__
from digitpad.cli.output import FAILED, OK, Parser, print_result
from digitpad.errors import DigitpadError, reason
from digitpad.system import blas_threads, user_folders
from digitpad.system.versions import versions

MIN_FREE_BYTES = 500 * 10**6
"""Free space for some runs, checkpoints and a downloaded dataset."""


@dataclass(frozen=True)
class Finding:
    """Result of a check; ``advice`` says what to do, and is empty if the check passes."""

    name: str
    text: str
    advice: str = ""


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad doctor``."""
    parser = Parser(
        prog="digitpad doctor",
        description="Check the display, fonts, BLAS threads, data folder, disk space and writable folders, and print "
        "what to do. The exit status is 1 if something must be done.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    blas_threads.limit_threads(blas_threads.default_thread_count())
    findings = [Finding("versions", ", ".join(f"{name} {version}" for name, version in versions().items()))]
    findings += [check() for check in (_display, _fonts, _threads, _data_folder, _disk_space, _temporary_folder)]
    width = max(len(finding.name) for finding in findings)
    lines = [f"digitpad {__version__}"]
    for finding in findings:
        lines.append(f"{'!' if finding.advice else '✓'} {finding.name:{width}}  {finding.text}")
        if finding.advice:
            lines.append(f"  {'':{width}}  → {finding.advice}")
    values = {
        "digitpad": __version__,
        "checks": [
            {"name": finding.name, "ok": not finding.advice, "text": finding.text, "advice": finding.advice}
            for finding in findings
        ],
    }
    print_result(options, values, "\n".join(lines))
    return FAILED if any(finding.advice for finding in findings) else OK


def _display() -> Finding:
    from digitpad.app import check_system

    try:
        check_system()
    except DigitpadError as error:
        return Finding("display", "the window cannot open", str(error))
    platform = os.environ.get("QT_QPA_PLATFORM")
    return Finding("display", f"QT_QPA_PLATFORM is {platform}" if platform else "the window can open")


def _fonts() -> Finding:
    """Check that there is a font; only Linux may have none."""
    if not sys.platform.startswith("linux"):
        return Finding("fonts", "from the system")
    data = os.environ.get("XDG_DATA_HOME") or user_folders.home() / ".local" / "share"
    folders = [
        Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path(data) / "fonts", user_folders.home() / ".fonts"
    ]  # fmt: skip
    found = [folder for folder in folders if next(_font_files(folder), None) is not None]
    if found:
        return Finding("fonts", f"in {', '.join(map(str, found))}")
    advice = "install one; on Debian or Ubuntu: sudo apt install fonts-dejavu"
    return Finding("fonts", "none found, so text is shown as empty boxes", advice)


def _font_files(folder: Path) -> Iterator[Path]:
    return (path for suffix in ("ttf", "otf", "ttc", "pfb") for path in folder.rglob(f"*.{suffix}"))


def _threads() -> Finding:
    cores, count = os.cpu_count() or 1, blas_threads.thread_count()
    text = f"{blas_threads.library()}, {count} of {cores} cores"
    if not blas_threads.can_limit_threads():
        return Finding("BLAS threads", f"{text}; the library chooses the number, and resumed runs may differ slightly")
    if not blas_threads.is_reproducible():
        text += "; resumed runs may differ slightly"
    if count > cores:
        name = next(name for name in blas_threads.VARIABLES if os.environ.get(name, "").isdecimal())
        return Finding("BLAS threads", text, f"set {name} to at most {cores}: more threads than cores are very slow")
    return Finding("BLAS threads", text)


def _data_folder() -> Finding:
    folder = user_folders.user_data_path()
    advice = "make it writable, or set DIGITPAD_HOME to a folder that is; until then runs and recipes are not saved"
    return _writable("data folder", folder, advice)


def _temporary_folder() -> Finding:
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        return Finding("temporary files", reason(error), "set TMPDIR to a folder that can be written")
    return _writable("temporary files", folder, "make it writable, or set TMPDIR to a folder that is")


def _disk_space() -> Finding:
    folder = _existing(user_folders.user_data_path())
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("disk space", f"{folder}: {reason(error)}", "check the disk of the data folder")
    text = f"{free / 1e9:,.1f} GB free for {user_folders.user_data_path()}"
    advice = f"free some space: at least {MIN_FREE_BYTES / 1e6:,.0f} MB" if free < MIN_FREE_BYTES else ""
    return Finding("disk space", text, advice)


def _writable(name: str, folder: Path, advice: str) -> Finding:
    """Check that a file can be written in a folder, or where the folder will be created; it is not created."""
    place = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return Finding(name, f"{folder}: {place} cannot be written ({reason(error)})", advice)
    return Finding(name, str(folder) if folder.exists() else f"{folder}, created when it is needed")


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest folder above it that exists."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)
