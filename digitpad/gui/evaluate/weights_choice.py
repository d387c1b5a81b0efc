"""Which weights to evaluate: those in use, the shipped ones, or a file."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from digitpad.gui.widgets.file_dialogs import WEIGHTS
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.weights.native_format import SHIPPED

IN_USE = "in use"
NONE = ""
_OTHER = None


class WeightsChoice(Choice):
    """The weights in use, the shipped ones, files chosen so far, and last what asks for another one.

    Parameters
    ----------
    none : str, optional
        What to call it that there are none; it is then the first choice.
    """

    def __init__(self, none: str = "") -> None:
        super().__init__()
        if none:
            self.addItem(none, NONE)
        self.addItem("In use", IN_USE)
        self.addItem("Shipped", str(SHIPPED))
        self.addItem("Other file…", _OTHER)
        self._before = 0
        self.activated.connect(self._chosen)

    def value(self) -> str:
        """`IN_USE`, `NONE`, or the name of a file."""
        value: str | None = self.currentData()
        return IN_USE if value is None else value

    def set_in_use(self, name: str) -> None:
        """Say what the weights in use are called."""
        place = self.findData(IN_USE)
        self.setItemText(place, f"In use: {name}")
        self.setItemData(place, name, Qt.ItemDataRole.ToolTipRole)

    def choose_file(self, path: Path) -> None:
        """Choose a file."""
        self.offer_file(path)
        self._before = self.findData(str(path))
        self.setCurrentIndex(self._before)

    def offer_file(self, path: Path) -> None:
        """Have a file among the choices."""
        if self.findData(str(path)) < 0:
            place = self.count() - 1
            self.insertItem(place, path.name, str(path))
            self.setItemData(place, str(path), Qt.ItemDataRole.ToolTipRole)

    def _chosen(self, index: int) -> None:
        if self.itemData(index) is not None:
            self._before = index
            return
        self.setCurrentIndex(self._before)
        name, _ = QFileDialog.getOpenFileName(self, "Weights to evaluate", "", WEIGHTS)
        if name:
            self.choose_file(Path(name))
