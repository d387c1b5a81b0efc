from pathlib import Path

import platformdirs
import pytest

from digitpad import assets, folders


def test_home_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that DIGITPAD_HOME names is made, with those above it, and may be there already."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "some" / "where"))
    for _ in range(2):
        assert folders.user_data() == tmp_path / "some" / "where"
        assert folders.user_data().is_dir()


@pytest.mark.parametrize("chosen", [None, ""])
def test_home_is_where_the_system_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None) -> None:
    """Where none is chosen, it is the system's place for a user's data, and not beside the program."""
    if chosen is None:
        monkeypatch.delenv("DIGITPAD_HOME")
    else:
        monkeypatch.setenv("DIGITPAD_HOME", chosen)
    asked = []

    def user_data_path(name: str, **_: object) -> Path:
        asked.append(name)
        return tmp_path / "share" / name

    monkeypatch.setattr(platformdirs, "user_data_path", user_data_path)
    assert folders.user_data() == tmp_path / "share" / "digitpad"
    assert asked == ["digitpad"]
    assert (tmp_path / "share" / "digitpad").is_dir()
    assert not folders.user_data().is_relative_to(assets.MODEL.parent)


def test_unused_name_is_the_one_asked_for(tmp_path: Path) -> None:
    """Where nothing is, there is nothing to avoid."""
    assert folders.unused(tmp_path / "run.npz") == tmp_path / "run.npz"


def test_used_names_are_numbered(tmp_path: Path) -> None:
    """The first free number is taken; folders are in the way as files are."""
    (tmp_path / "run.npz").write_bytes(b"")
    (tmp_path / "run-2.npz").mkdir()
    (tmp_path / "run-4.npz").write_bytes(b"")
    assert folders.unused(tmp_path / "run.npz") == tmp_path / "run-3.npz"


def test_numbers_follow_the_whole_name(tmp_path: Path) -> None:
    """A dot in a name is not taken for the beginning of its ending."""
    (tmp_path / "run-0.5.npz").write_bytes(b"")
    assert folders.unused(tmp_path / "run-0.5.npz") == tmp_path / "run-0.5-2.npz"
