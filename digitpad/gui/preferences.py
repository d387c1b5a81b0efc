"""Typed settings of the window, on top of `QSettings`, which stores only text reliably."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

from digitpad.gui.widgets.text_size import SIZES
from digitpad.gui.widgets.theme import Mode
from digitpad.system import user_folders

MAX_RECENT = 8


class Preferences:
    """Settings that survive a restart. A value that cannot be read counts as not set.

    Parameters
    ----------
    store : QSettings
    """

    def __init__(self, store: QSettings) -> None:
        self._store = store

    def reopened(self) -> "Preferences":
        """Return the same settings for use in another thread."""
        return Preferences(QSettings(self._store.fileName(), self._store.format()))

    def sync(self) -> None:
        """Write everything to disk."""
        self._store.sync()

    @property
    def theme(self) -> Mode:
        """Light, dark, or that of the system."""
        value = str(self._store.value("theme", Mode.SYSTEM.value))
        return Mode(value) if value in list(Mode) else Mode.SYSTEM

    @theme.setter
    def theme(self, mode: Mode) -> None:
        self._store.setValue("theme", mode.value)

    @property
    def text_size(self) -> int:
        """Text size in percent of the system's."""
        value = str(self._store.value("text_size", 100))
        return min(max(int(value), SIZES[0]), SIZES[-1]) if value.isdecimal() else 100

    @text_size.setter
    def text_size(self, percent: int) -> None:
        self._store.setValue("text_size", percent)

    @property
    def restores_session(self) -> bool:
        """Whether the tab, network, recipe and dataset of the last session are restored at the start."""
        return self._store.value("restore_session", "true") == "true"

    @restores_session.setter
    def restores_session(self, restores: bool) -> None:
        self.set_flag("restore_session", restores)

    @property
    def draws_with_fingers(self) -> bool:
        """Whether a finger on a touch screen draws."""
        return self._store.value("finger_drawing", "true") == "true"

    @draws_with_fingers.setter
    def draws_with_fingers(self, draws: bool) -> None:
        self.set_flag("finger_drawing", draws)

    @property
    def reads_single_digit(self) -> bool:
        """Whether every drawing is read as one digit, instead of as a number."""
        return self.flag("single_digit")

    @reads_single_digit.setter
    def reads_single_digit(self, single: bool) -> None:
        self.set_flag("single_digit", single)

    @property
    def has_wide_pad(self) -> bool:
        """Whether the pad is wide, for long numbers."""
        return self.flag("wide_pad")

    @has_wide_pad.setter
    def has_wide_pad(self, wide: bool) -> None:
        self.set_flag("wide_pad", wide)

    @property
    def uses_memory(self) -> bool:
        """Whether corrections change the answers for similar drawings."""
        return self._store.value("memory", "true") == "true"

    @uses_memory.setter
    def uses_memory(self, uses: bool) -> None:
        self.set_flag("memory", uses)

    @property
    def startup_network(self) -> str:
        """Path of the network to start with; empty for the last one, if sessions are restored, or the built-in one."""
        return str(self._store.value("startup_network", ""))

    @startup_network.setter
    def startup_network(self, path: str) -> None:
        self._store.setValue("startup_network", path)

    @property
    def recent_networks(self) -> list[str]:
        """Paths of the network files used last, the latest first."""
        value = self._store.value("recent_weights", [])
        paths = value if isinstance(value, list) else [value]  # a list with one item comes back as that item
        return [path for path in paths if isinstance(path, str)]

    def add_recent_network(self, path: Path) -> None:
        """Move a network file to the top of `recent_networks`."""
        text = str(path.resolve())
        others = [other for other in self.recent_networks if other != text]
        self._store.setValue("recent_weights", [text, *others][:MAX_RECENT])

    @property
    def folder(self) -> Path:
        """The folder of the file that was opened or saved last."""
        name = str(self._store.value("folder", ""))
        return Path(name) if name and Path(name).is_dir() else user_folders.home()

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._store.setValue("folder", str(folder))

    @property
    def explains(self) -> bool:
        """Whether the Draw tab shows the explanation."""
        return self.flag("why")

    @explains.setter
    def explains(self, explains: bool) -> None:
        self.set_flag("why", explains)

    def take_tour(self) -> bool:
        """Return whether the first steps are due: once, at the first start; from now on they are not."""
        due = not self.flag("tour_shown") and self.geometry("geometry") is None
        self.set_flag("tour_shown", True)
        return due

    @property
    def more_settings(self) -> bool:
        """Whether the Train tab shows all settings."""
        return self.flag("more_settings")

    @more_settings.setter
    def more_settings(self, more: bool) -> None:
        self.set_flag("more_settings", more)

    @property
    def declined_run(self) -> str:
        """The interrupted run, with its step, that the user chose not to resume."""
        return str(self._store.value("turned_down", ""))

    @declined_run.setter
    def declined_run(self, key: str) -> None:
        self._store.setValue("turned_down", key)

    @property
    def last_session(self) -> dict[str, Any]:
        """Tab, network and choices of the last session, as plain values; empty if they are not to be restored."""
        record = self.record("session") if self.restores_session else None
        return record if isinstance(record, dict) else {}

    def keep_session(self, page: str, network: Path | None, pages: Mapping[str, Mapping[str, Any]]) -> None:
        """Save the current tab, the file of the network in use, and the choices of each tab."""
        states = {**self.last_session.get("pages", {}), **pages}
        path = None if network is None else str(network.resolve())
        self.set_record("session", {"page": page, "network": path, "pages": states})

    @property
    def first_network(self) -> Path | None:
        """The network file to start with; None for the built-in network."""
        name = self.startup_network or self.last_session.get("network")
        return Path(name) if isinstance(name, str) and name else None

    def geometry(self, window: str) -> QByteArray | None:
        """Return the position and size of a window, or None."""
        value = self._store.value(window)
        return value if isinstance(value, QByteArray) else None

    def set_geometry(self, window: str, geometry: QByteArray) -> None:
        """Save the position and size of a window."""
        self._store.setValue(window, geometry)

    def flag(self, key: str) -> bool:
        """Return a switch; off if it is not set."""
        return self._store.value(key) == "true"

    def set_flag(self, key: str, on: bool) -> None:
        """Save a switch."""
        self._store.setValue(key, str(on).lower())

    def record(self, key: str) -> Any:
        """Return plain values that were saved as JSON, or None."""
        try:
            return json.loads(str(self._store.value(key, "")))
        except ValueError:
            return None

    def set_record(self, key: str, values: Any) -> None:
        """Save plain values as JSON; None removes them."""
        if values is None:
            self._store.remove(key)
        else:
            self._store.setValue(key, json.dumps(values))
