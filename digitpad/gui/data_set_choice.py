"""Which data to train on: the built-in digits, or a file or folder of one's own."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from digitpad.datasets.dataset import BUILT_IN
from digitpad.gui.inputs import Choice

OTHER_FOLDER = "Folder…"
OTHER_FILE = "File…"
_FILES = "Data sets (*.npz *.csv *.jsonl *-ubyte *-ubyte.gz);;All files (*)"


class DataSetChoice(Choice):
    """The built-in set, the sets chosen so far, and last what asks for another one."""

    def __init__(self) -> None:
        super().__init__()
        self._source = BUILT_IN
        self.addItem("MNIST (built in)", BUILT_IN)
        self._asking: dict[str, Callable[[], str]] = {OTHER_FOLDER: self._ask_folder, OTHER_FILE: self._ask_file}
        for text in self._asking:
            self.addItem(text, None)
        self.activated.connect(self._chosen)

    def value(self) -> str:
        """The set's name, or its path."""
        return self.currentData() or BUILT_IN

    def set_value(self, source: str) -> None:
        """Choose a name or path."""
        self._source = source
        self.setCurrentIndex(self._place(source))

    def _chosen(self, index: int) -> None:
        if self.itemData(index) is None:
            path = self._asking[self.itemText(index)]()
            self.setCurrentIndex(self._place(path or self._source))
        self._source = str(self.currentData())

    def _ask_folder(self) -> str:
        return QFileDialog.getExistingDirectory(self, "Folder with IDX files, a CSV, or images by class")

    def _ask_file(self) -> str:
        return QFileDialog.getOpenFileName(self, "Data set", "", _FILES)[0]

    def _place(self, source: str) -> int:
        """The place of a data set among the items, which is made if need be."""
        place = self.findData(source)
        if place < 0:
            place = self.count() - len(self._asking)
            self.insertItem(place, Path(source).name or source, source)
            self.setItemData(place, source, Qt.ItemDataRole.ToolTipRole)
        return place
