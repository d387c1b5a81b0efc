"""Which digits to train on: the built-in ones, or a folder."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from digitpad.datasets.dataset import BUILT_IN
from digitpad.gui.inputs import Choice

OTHER_FOLDER = "Folder of IDX files…"


class DataSetChoice(Choice):
    """The built-in set, the folders chosen so far, and last what asks for another one."""

    def __init__(self) -> None:
        super().__init__()
        self._source = BUILT_IN
        self.addItem("MNIST (built in)", BUILT_IN)
        self.addItem(OTHER_FOLDER, None)
        self.activated.connect(self._chosen)

    def value(self) -> str:
        """The set's name or folder."""
        return self.currentData() or BUILT_IN

    def set_value(self, source: str) -> None:
        """Choose a name or folder."""
        self._source = source
        self.setCurrentIndex(self._place(source))

    def _chosen(self, index: int) -> None:
        if self.itemData(index) is None:
            folder = QFileDialog.getExistingDirectory(self, "Folder with four IDX files")
            self.setCurrentIndex(self._place(folder or self._source))
        self._source = str(self.currentData())

    def _place(self, source: str) -> int:
        """The place of a data set among the items, which is made if need be."""
        place = self.findData(source)
        if place < 0:
            place = self.count() - 1
            self.insertItem(place, Path(source).name or source, source)
            self.setItemData(place, source, Qt.ItemDataRole.ToolTipRole)
        return place
