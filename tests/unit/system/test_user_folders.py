import os
import sys
from pathlib import Path
from typing import NoReturn

import platformdirs
import pytest

from digitpad import assets
from digitpad.system import user_folders


def test_home_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in DIGITPAD_HOME is created with its parents, and may already exist."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "some" / "where"))
    for _ in range(2):
        assert user_folders.user_data() == tmp_path / "some" / "where"
        assert user_folders.user_data().is_dir()


@pytest.mark.parametrize("chosen", [None, ""])
def test_home_is_the_system_s_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    """Without DIGITPAD_HOME, the folder is the system's user data folder, apart from the program's files."""
    if chosen is None:
        monkeypatch.delenv("DIGITPAD_HOME")
    else:
        monkeypatch.setenv("DIGITPAD_HOME", chosen)
    requested_names = []

    def user_data_path(name: str, **_: object) -> Path:
        requested_names.append(name)
        return tmp_path / "share" / name

    monkeypatch.setattr(platformdirs, "user_data_path", user_data_path)
    assert user_folders.user_data() == tmp_path / "share" / "digitpad"
    assert requested_names == ["digitpad"]
    assert (tmp_path / "share" / "digitpad").is_dir()
    assert not user_folders.user_data().is_relative_to(assets.MODEL.parent)


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"\n"])
def test_damaged_choice_of_the_runs_folder_is_ignored(content: bytes) -> None:
    """After a power cut that left the file of the chosen folder empty or zeroed, runs are in the usual folder."""
    assert user_folders.set_runs_path(user_folders.user_data() / "mine") == ""
    assert user_folders.runs_path() == user_folders.user_data() / "mine"
    (user_folders.user_data() / "runs-folder.txt").write_bytes(content)
    assert user_folders.runs_path() == user_folders.usual_runs_path()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are valid text there")
def test_runs_folder_may_have_a_name_that_is_not_utf8() -> None:
    """A folder whose name is not UTF-8 can be chosen for runs."""
    folder = user_folders.user_data() / os.fsdecode(b"\xff")
    assert user_folders.set_runs_path(folder) == ""
    assert user_folders.runs_path() == folder


@pytest.mark.parametrize("name", ["~", "a\0b"])
def test_runs_folder_that_cannot_exist_is_reported(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A home folder that the system does not know, and a null character, are errors with advice."""

    def unknown(path: Path) -> Path:
        if "~" in path.parts:
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr(Path, "expanduser", unknown)
    assert "choose another folder" in user_folders.set_runs_path(Path(name))
    assert user_folders.runs_path() == user_folders.usual_runs_path()


def test_unknown_home_is_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HOME and without an entry for the user, dialogs start in the current folder."""

    def unknown() -> NoReturn:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.chdir(tmp_path)
    assert user_folders.home() == tmp_path
