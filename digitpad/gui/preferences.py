"""The window's settings, typed: one wrapper over `QSettings`, which keeps only text well."""

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

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
    def recent_networks(self) -> list[str]:
        """Paths of the network files used last, the latest first."""
        value = self._store.value("recent_weights", [])
        paths = value if isinstance(value, list) else [value]  # a list with one item comes back as that item
        return [path for path in paths if isinstance(path, str)]

    def add_recent_network(self, path: Path) -> None:
        """Put a network file at the head of `recent_networks`."""
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

    def geometry(self, window: str) -> QByteArray | None:
        """Return the position and size of a window, or None."""
        value = self._store.value(window)
        return value if isinstance(value, QByteArray) else None

    def set_geometry(self, window: str, geometry: QByteArray) -> None:
        """Keep the position and size of a window."""
        self._store.setValue(window, geometry)

    def flag(self, key: str) -> bool:
        """Return a switch; off if it is not set."""
        return self._store.value(key) == "true"

    def set_flag(self, key: str, on: bool) -> None:
        """Keep a switch."""
        self._store.setValue(key, str(on).lower())

    def record(self, key: str) -> Any:
        """Return plain values that were kept as JSON, or None."""
        try:
            return json.loads(str(self._store.value(key, "")))
        except ValueError:
            return None

    def set_record(self, key: str, values: Any) -> None:
        """Keep plain values as JSON; None removes them."""
        if values is None:
            self._store.remove(key)
        else:
            self._store.setValue(key, json.dumps(values))
