"""Markdown files with a small header of ``key: value`` lines between two lines ``---``."""

from dataclasses import dataclass, field
from pathlib import Path

from digitpad.errors import FileError, reason

MAX_BYTES = 200_000
_FENCE = "---"


class TeachingError(FileError):
    """Error in a help page or a lesson; the problem names the line."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(path, f"line {line}: {problem}")
        self.line = line


@dataclass(frozen=True)
class Entry:
    """A line ``key: value``, and its number in the file."""

    key: str
    value: str
    line: int


@dataclass(frozen=True)
class MarkdownFile:
    """A Markdown file.

    Attributes
    ----------
    path : Path
    header : dict of str to Entry
        Empty if the file does not start with a header.
    lines : tuple of str
        Lines after the header.
    first_line : int
        Number of the first of them, counted from 1.
    """

    path: Path
    header: dict[str, Entry] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    first_line: int = 1

    @property
    def text(self) -> str:
        """The Markdown after the header."""
        return "\n".join(self.lines)

    @property
    def title(self) -> str:
        """The first heading of level 1, or an empty string."""
        return next((line[2:].strip() for line in self.lines if line.startswith("# ")), "")


def read_markdown(path: Path) -> MarkdownFile:
    """Read a Markdown file with or without a header.

    Raises
    ------
    TeachingError
        If the header is not closed or has a line that is not ``key: value``.
    FileError
        If the file cannot be read, is too large, or is not UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileError(path, f"cannot be read: {reason(error)}") from error
    if len(data) > MAX_BYTES:
        raise FileError(path, f"is larger than {MAX_BYTES // 1000} kB")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FileError(path, "is not UTF-8 text") from error
    if not lines or lines[0].strip() != _FENCE:
        return MarkdownFile(path, {}, tuple(lines), 1)
    header: dict[str, Entry] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.strip() == _FENCE:
            return MarkdownFile(path, header, tuple(lines[number:]), number + 1)
        if line.strip():
            entry = parse_entry(path, line, number)
            header[entry.key] = entry
    raise TeachingError(path, 1, "the header that starts here has no closing ---")


def parse_entry(path: Path, line: str, number: int) -> Entry:
    """Return the key and the value of a line.

    Raises
    ------
    TeachingError
        If it is not ``key: value``.
    """
    key, colon, value = line.partition(":")
    if not colon or not key.strip():
        raise TeachingError(path, number, f"expected “key: value”, found “{line.strip()[:40]}”")
    return Entry(key.strip().lower(), value.strip(), number)
