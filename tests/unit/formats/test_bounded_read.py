import os
import sys
from pathlib import Path

import pytest

from digitpad.errors import WeightsError
from digitpad.formats.bounded_read import read_bounded
from digitpad.formats.npz import read_arrays


def test_content_is_read_unchanged(tmp_path: Path) -> None:
    """All bytes are returned, including line ends and Ctrl-Z, which ends a text on Windows."""
    path = tmp_path / "file"
    path.write_bytes(b"a\r\nb\n\x1ac")
    assert read_bounded(path, 7) == b"a\r\nb\n\x1ac"
    with pytest.raises(OSError, match="larger than 6 bytes"):
        read_bounded(path, 6)


def test_file_is_opened_in_binary_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If `os.open` has a text mode, as on Windows, the file is opened in binary mode."""
    flags: list[int] = []
    os_open = os.open

    def note(path: Path, mode: int) -> int:
        flags.append(mode)
        return os_open(path, mode & ~0x8000)

    monkeypatch.setattr(os, "O_BINARY", 0x8000, raising=False)
    monkeypatch.setattr(os, "open", note)
    (tmp_path / "file").write_bytes(b"x")
    assert read_bounded(tmp_path / "file", 10) == b"x"
    assert flags[0] & 0x8000


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes as POSIX has them")
def test_pipe_does_not_block(tmp_path: Path) -> None:
    """A named pipe without a writer is refused at once, also as a weights file."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        read_bounded(tmp_path / "pipe", 10)
    with pytest.raises(WeightsError, match="not a regular file"):
        read_arrays(tmp_path / "pipe")
