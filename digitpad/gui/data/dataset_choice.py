"""Which data to train or evaluate on: the built-in digits, what was downloaded, or a file or folder of one's own."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog

from digitpad.datasets.dataset import BUILT_IN
from digitpad.datasets.download.fetch import downloaded
from digitpad.gui.data.download_dialog import DownloadDialog
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.weights.native_format import Weights

NONE = ""
OTHER_FOLDER = "Folder…"
OTHER_FILE = "File…"
DOWNLOAD = "Download…"
_FILES = "Data sets (*.npz *.csv *.pkl *.pickle *.pkl.gz *.pickle.gz *.jsonl *-ubyte *-ubyte.gz);;All files (*)"


class DatasetChoice(Choice):
    """The built-in set, those that were downloaded or chosen so far, and last what asks for another one.

    Parameters
    ----------
    none : str, optional
        What to call it that there is none; it is then the first choice, and the built-in set is not among them.
    """

    opened = Signal(str)  # a file or folder that other choices may offer too

    def __init__(self, none: str = "") -> None:
        super().__init__()
        self._source = NONE if none else BUILT_IN
        self.addItem(none or "MNIST (built in)", self._source)
        self._download: DownloadDialog | None = None
        self._asking: dict[str, Callable[[], str]] = {
            OTHER_FOLDER: self._ask_folder,
            OTHER_FILE: self._ask_file,
            DOWNLOAD: self._ask_download,
        }
        for text in self._asking:
            self.addItem(text, None)
        self._add_downloaded()
        self.activated.connect(self._chosen)

    def value(self) -> str:
        """The set's name, or its path, or `NONE`; while another one is asked for, that of before."""
        source: str | None = self.currentData()
        return self._source if source is None else source

    def set_value(self, source: str) -> None:
        """Choose a name or path."""
        self._source = source
        self.setCurrentIndex(self._place(source))

    def open_set(self, source: str) -> None:
        """Choose a file or folder, and tell of it, so that it is offered elsewhere."""
        self.set_value(source)
        self.opened.emit(source)

    def sources(self) -> list[str]:
        """Names and paths of all that is offered."""
        return [source for source in map(self.itemData, range(self.count())) if source]

    def offer(self, source: str) -> None:
        """Have a name or path among the items."""
        self._place(source)

    def follow(self, weights: Weights) -> None:
        """Choose the set that weights were trained on, where it is offered; whatever else a file names is not read."""
        if self.isEnabled() and self.findData(weights.data_source) >= 0:
            self.set_value(weights.data_source)

    def shut_down(self) -> None:
        """End a download, and keep what it has fetched."""
        if self._download is not None:
            self._download.shut_down()

    def _add_downloaded(self) -> None:
        for path in map(str, downloaded().values()):
            self._place(path)
            self.opened.emit(path)

    def _use(self, source: str) -> None:
        """Choose a downloaded set, unless a training under way has the settings rest."""
        if self.isEnabled():
            self.open_set(source)

    def _chosen(self, index: int) -> None:
        if self.itemData(index) is None:
            path = self._asking[self.itemText(index)]()
            if path:
                self.open_set(path)
            else:
                self.set_value(self._source)
        self._source = str(self.currentData())

    def _ask_folder(self) -> str:
        return QFileDialog.getExistingDirectory(self, "Folder with IDX files, a CSV, or images by class")

    def _ask_file(self) -> str:
        return QFileDialog.getOpenFileName(self, "Data set", "", _FILES)[0]

    def _ask_download(self) -> str:
        """Show what can be downloaded; what is chosen there is heard of later."""
        if self._download is None:
            self._download = DownloadDialog(self.window())
            self._download.chosen.connect(self._use)
            self._download.fetched.connect(self._add_downloaded)
        self._download.show()
        self._download.raise_()
        self._download.activateWindow()
        return ""

    def _place(self, source: str) -> int:
        """The place of a data set among the items, which is made if need be."""
        place = self.findData(source)
        if place < 0:
            place = self.count() - len(self._asking)
            self.insertItem(place, Path(source).name or source, source)
            self.setItemData(place, source, Qt.ItemDataRole.ToolTipRole)
        return place
