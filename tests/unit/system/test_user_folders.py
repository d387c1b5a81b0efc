from pathlib import Path

import platformdirs
import pytest

from digitpad import assets
from digitpad.system import user_folders


def test_home_may_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that DIGITPAD_HOME names is made, with those above it, and may be there already."""
    monkeypatch.setenv("DIGITPAD_HOME", str(tmp_path / "some" / "where"))
    for _ in range(2):
        assert user_folders.user_data() == tmp_path / "some" / "where"
        assert user_folders.user_data().is_dir()


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
    assert user_folders.user_data() == tmp_path / "share" / "digitpad"
    assert asked == ["digitpad"]
    assert (tmp_path / "share" / "digitpad").is_dir()
    assert not user_folders.user_data().is_relative_to(assets.MODEL.parent)
