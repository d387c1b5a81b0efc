"""Combo box for a dataset: built in, downloaded, or a file or folder."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog

from digitpad.datasets.dataset import BUILT_IN
from digitpad.datasets.download.fetch import downloaded
from digitpad.gui.data.download_dialog import DownloadDialog
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import bring_to_front
from digitpad.gui.widgets.form_widgets import Choice
from digitpad.weights.native_format import Weights

NONE = ""
OTHER_FOLDER = "Folder…"
OTHER_FILE = "File…"
DOWNLOAD = "Download…"
_FILES = "Datasets (*.npz *.csv *.pkl *.pickle *.pkl.gz *.pickle.gz *.jsonl *-ubyte *-ubyte.gz);;All files (*)"


class DatasetChoice(Choice):
    """Combo box with the built-in, downloaded and opened datasets, and items to open or download another one.

    Parameters
    ----------
    none : str, optional
        Text for no dataset, which is then the first item in place of the built-in dataset.
    """

    opened = Signal(str)  # a file or folder, for other combo boxes to list

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
        """Return the name or path of the dataset, or `NONE`."""
        source: str | None = self.currentData()
        return self._source if source is None else source

    def set_value(self, source: str) -> None:
        """Choose a dataset by its name or path."""
        self._source = source
        self.setCurrentIndex(self._place(source))

    def open_set(self, source: str) -> None:
        """Choose a file or folder, and emit `opened` so that other combo boxes list it."""
        self.set_value(source)
        self.opened.emit(source)

    def restore(self, source: object) -> None:
        """Choose the dataset of an earlier session, if it is still there."""
        if isinstance(source, str) and (self.findData(source) >= 0 or Path(source).exists()):
            self.open_set(source)

    def sources(self) -> list[str]:
        """Return the names and paths of all items."""
        return [source for source in map(self.itemData, range(self.count())) if source]

    def offer(self, source: str) -> None:
        """Add a dataset to the items."""
        self._place(source)

    def follow(self, weights: Weights) -> None:
        """Choose the dataset that a network was trained on, if it is among the items."""
        if self.isEnabled() and self.findData(weights.data_source) >= 0:
            self.set_value(weights.data_source)

    def share(self, session: Session) -> None:
        """List the datasets opened elsewhere in the window, and announce those opened here."""
        for source in self.sources():
            session.open_dataset(source)
        for source in session.datasets:
            self.offer(source)
        self.opened.connect(session.open_dataset)
        session.dataset_opened.connect(self.offer)

    def close_download(self) -> None:
        """Close the download dialog; the part that was downloaded is kept."""
        if self._download is not None:
            self._download.shut_down()

    def _add_downloaded(self) -> None:
        for path in map(str, downloaded().values()):
            self._place(path)
            self.opened.emit(path)

    def _use(self, source: str) -> None:
        """Choose a downloaded dataset, unless the box is disabled during training."""
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
        return QFileDialog.getExistingDirectory(self, "Open a folder with IDX files, a CSV, or images by class")

    def _ask_file(self) -> str:
        return QFileDialog.getOpenFileName(self, "Open a dataset", "", _FILES)[0]

    def _ask_download(self) -> str:
        """Show the download dialog, which emits its choice later."""
        if self._download is None:
            self._download = DownloadDialog(self.window())
            self._download.chosen.connect(self._use)
            self._download.fetched.connect(self._add_downloaded)
        bring_to_front(self._download)
        return ""

    def _place(self, source: str) -> int:
        """Return the index of a dataset, adding it if necessary."""
        place = self.findData(source)
        if place < 0:
            place = self.count() - len(self._asking)
            self.insertItem(place, Path(source).name or source, source)
            self.setItemData(place, source, Qt.ItemDataRole.ToolTipRole)
        return place
