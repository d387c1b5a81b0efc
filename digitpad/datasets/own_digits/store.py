"""Store of the user's labelled drawings: an append-only file that several windows may use at the same time.

A change is appended as lines under a lock, and is on disk when the call returns. Nothing is ever rewritten, so a crash
can only leave an incomplete last line; readers skip it and report it.
"""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitpad.datasets.own_digits.records import (
    Change,
    OwnDigit,
    Record,
    encode,
    new_id,
    parse_line,
    replay,
    undone_changes,
)
from digitpad.errors import InkError, reason
from digitpad.ink.strokes import MAX_FILE_BYTES, MAX_LINE_BYTES
from digitpad.system import user_folders
from digitpad.system.atomic_write import sync_folder

LOCK_S = 1.0
"""Longest wait for another window, which holds the lock for a few milliseconds."""


def own_digits_path() -> Path:
    """Return the file of My digits in the user's folder; it may not exist yet."""
    return user_folders.user_data_path() / "my-digits" / "digits.jsonl"


class DigitStore:
    """Labelled drawings in a file.

    Every change takes effect at once in this object, and is on disk when the method returns. If it cannot be written,
    the method raises `InkError`, and the change is kept and is written with the next change or by `flush`.

    Parameters
    ----------
    path : Path, optional
        A strokes file, by default that of the user's folder. It is created by the first change.

    Attributes
    ----------
    problems : tuple of str
        Damaged lines that were skipped, one message each.
    n_unlabelled : int
        Drawings in the file that have no label.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = own_digits_path() if path is None else path
        self.problems: tuple[str, ...] = ()
        self.n_unlabelled = 0
        self._damaged: list[str] = []
        self._records: list[Record] = []
        self._pending: list[tuple[bytes, Record]] = []  # not on disk yet
        self._own_changes: list[str] = []
        self._own_undone: list[str] = []
        self._position = self._n_lines = self._file_id = 0
        self._digits: tuple[OwnDigit, ...] | None = None
        self.refresh()

    @property
    def digits(self) -> tuple[OwnDigit, ...]:
        """All drawings, in the order in which they were added."""
        if self._digits is None:
            self._digits = tuple(replay([*self._records, *(record for _, record in self._pending)]))
        return self._digits

    @property
    def has_unsaved(self) -> bool:
        """Whether there are changes that could not be written yet."""
        return bool(self._pending)

    # Changes.

    def add(self, drawings: Iterable[OwnDigit]) -> str:
        """Add drawings as one change, and return the identifier of the change.

        Raises
        ------
        InkError
            If they cannot be written; they are kept in memory.
        """
        change = new_id()
        self._own_changes.append(change)
        self._own_undone.clear()
        return self._append([(encode(each.to_values(change)), Record(change, each)) for each in drawings], change)

    def relabel(self, ids: Sequence[str], label: int) -> str:
        """Change the label of drawings; `NONE` is not a digit."""
        return self._edit(Change("relabel", tuple(ids), label))

    def rename_writer(self, ids: Sequence[str], writer: str) -> str:
        """Change the writer of drawings."""
        return self._edit(Change("rename", tuple(ids), writer))

    def delete(self, ids: Sequence[str]) -> str:
        """Delete drawings; their lines stay in the file, so that `undo` can restore them."""
        return self._edit(Change("delete", tuple(ids)))

    def clear_memory(self) -> str:
        """Exclude all present drawings from the memory of corrections; the drawings themselves are kept."""
        return self._edit(Change("forget", tuple(digit.id for digit in self.digits if not digit.is_forgotten)))

    @property
    def last_change(self) -> str:
        """Identifier of this window's last change that is not undone, also if it is not on disk; empty for none."""
        return self._own_changes[-1] if self._own_changes else ""

    @property
    def can_undo(self) -> bool:
        """Whether this window made a change that is not undone."""
        return bool(self._own_changes)

    @property
    def can_redo(self) -> bool:
        """Whether this window undid a change, and made no other since."""
        return bool(self._own_undone)

    def undo(self) -> bool:
        """Undo this window's last change; return False if there is none."""
        if not self._own_changes:
            return False
        change = self._own_changes.pop()
        self._own_undone.append(change)
        self._append_edit(Change("undo", (change,)))
        return True

    def undo_change(self, change: str) -> None:
        """Undo a change by its identifier, also one of another window."""
        if change in self._own_changes:
            self._own_changes.remove(change)
            self._own_undone.append(change)
        self._append_edit(Change("undo", (change,)))

    def redo_change(self, change: str) -> None:
        """Redo an undone change by its identifier."""
        if change in self._own_undone:
            self._own_undone.remove(change)
            self._own_changes.append(change)
        self._append_edit(Change("redo", (change,)))

    def redo(self) -> bool:
        """Redo this window's last undone change; return False if there is none."""
        if not self._own_undone:
            return False
        change = self._own_undone.pop()
        self._own_changes.append(change)
        self._append_edit(Change("redo", (change,)))
        return True

    def is_undone(self, change: str) -> bool:
        """Return whether a change is undone."""
        return change in undone_changes([*self._records, *(record for _, record in self._pending)])

    # The file.

    def refresh(self) -> bool:
        """Read what other windows appended since the last call; return whether there was anything new.

        Raises
        ------
        InkError
            If the file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size > MAX_FILE_BYTES:
                    raise InkError(self.path, f"is too large; the limit is {MAX_FILE_BYTES // 2**20} MB")
                if status.st_size < self._position or (self._position and status.st_ino != self._file_id):
                    self._forget()  # the file was replaced
                self._file_id = status.st_ino
                file.seek(self._position)
                content = file.read(status.st_size - self._position)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise InkError(self.path, f"cannot be read ({reason(error)})") from error
        return self._take(content)

    def flush(self) -> None:
        """Write changes that could not be written before.

        Raises
        ------
        InkError
            If they still cannot be written.
        """
        if not self._pending:
            return
        from filelock import FileLock, Timeout  # 26 modules, which the start of the window does not need

        user_folders.ensure_folder(self.path.parent)
        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock")).acquire(timeout=LOCK_S):
                self._write()
        except Timeout as error:
            raise InkError(self.path, "is in use by another window; try again") from error
        except OSError as error:
            raise InkError(self.path, f"cannot be written ({reason(error)})") from error

    def _edit(self, edit: Change) -> str:
        self._own_changes.append(edit.id)
        self._own_undone.clear()
        self._append_edit(edit)
        return edit.id

    def _append_edit(self, edit: Change) -> None:
        self._append([(encode(edit.to_values()), Record(edit.id, edit=edit))], edit.id)

    def _append(self, lines: list[tuple[bytes, Record]], change: str) -> str:
        self._pending += lines
        self._digits = None
        self.flush()
        return change

    def _write(self) -> None:
        """Append the pending lines, and keep those that do not fit; the lock is held."""
        self.refresh()  # first read the file to its end, because the new lines follow it
        if len(self.problems) > len(self._damaged):  # an incomplete last line, whose writer has ended
            self._damaged = list(self.problems)
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = os.fstat(descriptor).st_size
            ending = b"" if _ends_a_line(descriptor, size) else b"\n"  # ends an incomplete line of a killed process
            content = ending + b"".join(line for line, _ in self._pending)
            error = None
            written = 0
            try:
                while written < len(content):
                    written += os.write(descriptor, content[written:])
                os.fsync(descriptor)
            except OSError as caught:
                error = caught
                complete = content.rfind(b"\n", 0, written) + 1
                with contextlib.suppress(OSError):  # remove the incomplete line; complete ones may have been read
                    os.ftruncate(descriptor, size + complete)
                written = complete
            self._move_written(content, written, len(ending))
            self._position = size + written
            self._file_id = os.fstat(descriptor).st_ino
            if error is not None:
                raise error
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.path.parent)

    def _move_written(self, content: bytes, written: int, begin: int) -> None:
        """Move the records of the lines in ``content[:written]`` from the pending ones to those on disk."""
        n_written = content.count(b"\n", begin, written)
        self._records += [record for _, record in self._pending[:n_written]]
        self._n_lines += n_written + min(begin, written)
        del self._pending[:n_written]

    def _forget(self) -> None:
        self._records.clear()
        self._damaged.clear()
        self._position = self._n_lines = self.n_unlabelled = 0
        self._digits = None

    def _take(self, content: bytes) -> bool:
        """Apply the lines that were read; return whether there were any."""
        before = len(self._records)
        begin = 0
        incomplete = ""
        while begin < len(content):
            end = content.find(b"\n", begin)
            is_last = end < 0
            line = content[begin:] if is_last else content[begin:end]
            if line.strip():
                try:
                    self._take_line(line)
                except ValueError as error:
                    message = f"line {self._n_lines + 1:,} was skipped: it is damaged ({_short(error)})"
                    if is_last:  # another window may be writing it at this moment
                        incomplete = message
                        break
                    self._damaged.append(message)
            if is_last:
                begin = len(content)
                break
            self._n_lines += 1
            begin = end + 1
        self._position += begin
        self.problems = (*self._damaged, incomplete) if incomplete else tuple(self._damaged)
        if len(self._records) == before:
            return False
        self._digits = None
        return True

    def _take_line(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"longer than {MAX_LINE_BYTES:,} bytes")
        record = parse_line(line, f"line-{self._n_lines + 1}")
        if record is None:
            self.n_unlabelled += 1
        else:
            self._records.append(record)


def _ends_a_line(descriptor: int, size: int) -> bool:
    """Return whether a file is empty or ends with a line break."""
    if not size:
        return True
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"


def _short(error: Exception) -> str:
    return str(error).split(": line", 1)[0][:100]


def read_own_digits(path: Path) -> DigitStore:
    """Return the drawings in a strokes file, which must exist and hold at least one label.

    Raises
    ------
    InkError
        If it cannot be read, or holds no labelled drawing.
    """
    if not path.is_file():
        raise InkError(path, "does not exist, or is not a file")
    store = DigitStore(path)
    if not store.digits:
        damage = f"; {store.problems[0]}" if store.problems else ""
        raise InkError(
            path, f'contains no drawing with a label; expected lines of {{"label": 7, "strokes": …}}{damage}'
        )
    return store
