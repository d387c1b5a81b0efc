import errno
import os
import stat
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from digitpad.system import atomic_write
from digitpad.system.atomic_write import write_atomically

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and links as POSIX has them")


@pytest.mark.parametrize("content", [b"", b"text\r\n\0", bytes(range(256)) * 10_000], ids=["empty", "small", "large"])
@pytest.mark.parametrize("before", [None, b"what was there, and longer than what comes" * 1000])
def test_content_is_written(tmp_path: Path, content: bytes, before: bytes | None) -> None:
    """A new or replaced file has exactly the given content, and no other file is left."""
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)
    write_atomically(path, content)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=repr)
def test_failure_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    """After a full disk or an interrupt, the old file is intact and no temporary file is left."""

    def fail(*_: Any) -> NoReturn:
        raise error

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_lost_bytes_are_detected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content that reads back differently never replaces the old file."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"ne")
    with pytest.raises(OSError, match="returned different data"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_reader_sees_the_old_or_the_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old content is readable until the rename."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    contents = []
    replace = os.replace

    def replace_and_record(*arguments: Any) -> None:
        contents.append(path.read_bytes())
        replace(*arguments)
        contents.append(path.read_bytes())

    monkeypatch.setattr(os, "replace", replace_and_record)
    write_atomically(path, b"new")
    assert contents == [b"old", b"new"]


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_permissions_are_kept(tmp_path: Path, mode: int) -> None:
    """A replaced file keeps its permissions."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_new_file_has_the_default_permissions(tmp_path: Path) -> None:
    """A new file has the default permissions, although temporary files are private."""
    write_atomically(tmp_path / "file", b"new")
    (tmp_path / "other").write_bytes(b"new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@posix
def test_link_stays_a_link(tmp_path: Path) -> None:
    """Writing to a symbolic link replaces its target and keeps the link."""
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("name", ["nowhere/file", ""], ids=["no such folder", "a folder"])
def test_invalid_path_is_refused(tmp_path: Path, name: str) -> None:
    """Writing into a missing folder or over a folder fails and leaves no file."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=r".+"):
        write_atomically(tmp_path / "folder" / name, b"new")
    assert list(tmp_path.rglob("*")) == [tmp_path / "folder"]


@posix
def test_long_name_can_be_written(tmp_path: Path) -> None:
    """A file name of the maximum length works, although a longer temporary name would not."""
    path = tmp_path / ("n" * 251 + ".npz")
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def hold_open(monkeypatch: pytest.MonkeyPatch, n_times: int) -> list[float]:
    """Simulate a program on Windows that has the target open for the next renames; return the waiting times."""
    waits: list[float] = []
    replace = os.replace

    def refuse(*arguments: Any) -> None:
        if len(waits) < n_times:
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(*arguments)

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(atomic_write, "IS_WINDOWS", True)
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


def test_rename_waits_for_a_virus_scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a rename is tried again while another program has the target open."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    waits = hold_open(monkeypatch, 5)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert len(waits) == 5


def test_failed_rename_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the other program never closes the file, the error says so after two seconds, and the old file stays."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    waits = hold_open(monkeypatch, 1000)
    with pytest.raises(PermissionError, match="another program has the file open") as caught:
        write_atomically(path, b"new")
    assert 1 < sum(waits) <= atomic_write.REPLACE_S
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_folder_is_flushed_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is flushed to disk after the rename, so that the new name survives a power cut."""
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        events.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def note_replace(*arguments: Any) -> None:
        events.append("rename")
        replace(*arguments)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    write_atomically(tmp_path / "file", b"new")
    assert events == ["file", "rename", "folder"]
