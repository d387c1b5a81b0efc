"""Choice of a network: the network in use, the built-in network, or a file."""

from collections import Counter
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from digitpad.gui.widgets.file_dialogs import WEIGHTS
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.runs.network_names import is_of_run, network_name, run_start
from digitpad.weights.native_format import SHIPPED

IN_USE = "in use"
NONE = ""
_OTHER = None


class WeightsChoice(Choice):
    """Combo box with the network in use, the built-in network, files chosen earlier, and an item to open a file.

    Parameters
    ----------
    none : str, optional
        Text of a first item that stands for no network; empty for no such item.
    """

    def __init__(self, none: str = "") -> None:
        super().__init__()
        if none:
            self.addItem(none, NONE)
        self.addItem("In use", IN_USE)
        self.addItem(f"Built-in: {SHIPPED.name}", str(SHIPPED))
        self.addItem("Other file…", _OTHER)
        self._previous = 0
        self._names: dict[str, str] = {}  # of files, by their paths
        self._name_files()
        self.activated.connect(self._choose)

    def value(self) -> str:
        """Return `IN_USE`, `NONE`, or the path of a file."""
        value: str | None = self.currentData()
        return IN_USE if value is None else value

    def set_in_use(self, name: str) -> None:
        """Set the name of the network in use."""
        index = self.findData(IN_USE)
        self.setItemText(index, f"In use: {name}")
        self.setItemData(index, name, Qt.ItemDataRole.ToolTipRole)

    def choose_file(self, path: Path) -> None:
        """Select a file, and add it to the items if necessary."""
        self.offer_file(path)
        self._previous = self.findData(str(path))
        self.setCurrentIndex(self._previous)

    def offer_file(self, path: Path) -> None:
        """Add a file to the items."""
        if self.findData(str(path)) < 0:
            index = self.count() - 1
            self.insertItem(index, network_name(path), str(path))
            self.setItemData(index, str(path), Qt.ItemDataRole.ToolTipRole)
            self._name_files()

    def follow_runs(self) -> None:
        """Show the names that runs have now, and remove the networks whose files are gone."""
        for index in reversed(range(self.count())):
            data = self.itemData(index)
            if data not in (IN_USE, NONE, _OTHER) and not Path(data).exists():
                if index == self.currentIndex():
                    self.setCurrentIndex(self.findData(IN_USE))
                self.removeItem(index)
        self._previous = self.currentIndex()
        self._name_files()

    def chosen_name(self) -> str:
        """Return the name of the network that is chosen."""
        return self._names.get(self.value(), "")

    def _name_files(self) -> None:
        """Name all files; runs of the same name also get their start time."""
        files = [data for data in map(self.itemData, range(self.count())) if data not in (IN_USE, NONE, _OTHER)]
        names = {data: network_name(Path(data)) for data in files}
        counts = Counter(names.values())
        self._names = {
            data: f"{name} · {run_start(Path(data))}" if counts[name] > 1 and is_of_run(Path(data)) else name
            for data, name in names.items()
        }
        for data, name in self._names.items():
            self.setItemText(self.findData(data), f"Built-in: {name}" if data == str(SHIPPED) else name)

    def _choose(self, index: int) -> None:
        if self.itemData(index) is not None:
            self._previous = index
            return
        self.setCurrentIndex(self._previous)
        name, _ = QFileDialog.getOpenFileName(self, "Open network", "", WEIGHTS)
        if name:
            self.choose_file(Path(name))
