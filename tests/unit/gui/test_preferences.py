from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QSettings

from digitpad.gui.preferences import MAX_RECENT, Preferences
from digitpad.gui.widgets.theme import Mode
from tests.gui_fixtures import preferences_in


def test_values_survive_a_restart(tmp_path: Path) -> None:
    """Each value is restored with its type."""
    first = preferences_in(tmp_path)
    first.theme = Mode.DARK
    first.explains = True
    first.more_settings = True
    first.declined_run = "run 5"
    first.folder = tmp_path
    first.add_recent_network(tmp_path / "a.npz")
    first.set_geometry("geometry", QByteArray(b"123"))
    first.set_record("classes/x", [["a", "b"], ""])
    first.sync()
    again = preferences_in(tmp_path)
    assert (again.theme, again.explains, again.more_settings) == (Mode.DARK, True, True)
    assert (again.declined_run, again.folder) == ("run 5", tmp_path)
    assert again.recent_networks == [str(tmp_path / "a.npz")]
    assert again.geometry("geometry") == QByteArray(b"123")
    assert again.record("classes/x") == [["a", "b"], ""]
    again.set_record("classes/x", None)
    assert again.record("classes/x") is None


@pytest.mark.parametrize("value", ["nonsense", "[1, 2", 17])
def test_damaged_values_are_read_as_defaults(tmp_path: Path, value: object) -> None:
    """Damaged values are read as their defaults."""
    store = QSettings(str(tmp_path / "damaged.ini"), QSettings.Format.IniFormat)
    for key in ("theme", "why", "folder", "geometry", "record"):
        store.setValue(key, value)
    preferences = Preferences(store)
    assert preferences.theme is Mode.SYSTEM
    assert not preferences.explains
    assert preferences.folder == Path.home()
    assert preferences.geometry("geometry") is None


def test_recent_networks_are_limited_and_sorted(tmp_path: Path) -> None:
    """The list of recent networks is limited, and a file that is used again moves to the top."""
    preferences = preferences_in(tmp_path)
    for number in [*range(MAX_RECENT + 3), 5]:
        preferences.add_recent_network(tmp_path / f"{number}.npz")
    assert len(preferences.recent_networks) == MAX_RECENT
    assert [Path(name).stem for name in preferences.recent_networks[:2]] == ["5", str(MAX_RECENT + 2)]
