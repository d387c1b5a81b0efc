"""Opening and saving of networks; a file that is a dataset is offered as one."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from digitpad.errors import DigitpadError
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.widgets.dialogs import offer_dataset
from digitpad.gui.widgets.file_dialogs import SAVED_WEIGHTS, WEIGHTS, FileDialogs, check_openable
from digitpad.weights.exports import export
from digitpad.weights.native_format import SHIPPED, Weights, is_own, load_weights

if TYPE_CHECKING:
    from digitpad.gui.importing.network_import import NetworkImport


class NetworkFiles(QObject):
    """Commands to open and save networks."""

    def __init__(self, session: Session, files: FileDialogs, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._parent = parent
        self._importer = Lazy(self._make_importer)  # it takes long to import
        session.save_requested.connect(self.save)

    @property
    def importer(self) -> "NetworkImport":
        """Importer of networks from other programs."""
        return self._importer()

    @property
    def has_import_options(self) -> bool:
        """Whether the network in use was imported, so that its import options can be changed."""
        return self._importer.value is not None and self._importer.value.can_ask_again

    def ask_and_open(self) -> None:
        """Ask for a network file, and open it."""
        if (path := self._files.to_open("Open network", WEIGHTS)) is not None:
            self.open(path)

    def open(self, path: Path) -> None:
        """Open a file; on an error, the network in use stays.

        A file of digitpad's own format is used at once; for others, the user is asked how to use them.
        """
        try:
            check_openable(path)
            if not is_own(path):
                self.importer.open(path)
                return
            weights = load_weights(path)
        except DigitpadError as error:
            self._session.raise_error("This network can't be opened", error)
            return
        self._session.use_network(weights, path)
        self._session.say(f"Reading with {self._session.weights.name}", Lifetime.NETWORK)

    def use_built_in(self) -> None:
        """Use the built-in network."""
        self._session.use_network(load_weights(SHIPPED))

    def use_trained(self) -> None:
        """Use the network that was trained last, if there is one."""
        if self._session.trained is not None:
            self._session.use_network(self._session.trained, self._session.trained_path)
            self._session.show_page("Draw")
            self._session.say("The Draw tab uses the trained network", Lifetime.NETWORK)

    def save(self, weights: Weights) -> None:
        """Ask for a file, and save a network."""
        path = self._files.to_save("Save network as", SAVED_WEIGHTS, "npz", weights.name)
        if path is None:
            return
        try:
            export(weights, path)
        except DigitpadError as error:
            self._session.raise_error("The network was not saved", error)
            return
        self._session.mark_saved(weights, path)
        self._session.say(f"Saved {path.name}")

    def _make_importer(self) -> "NetworkImport":
        from digitpad.gui.importing.network_import import NetworkImport

        importer = NetworkImport(self._session, self._parent)
        importer.is_dataset.connect(self._offer_dataset)
        return importer

    def _offer_dataset(self, path: Path) -> None:
        source, session = str(path.resolve()), self._session
        train = None if session.training.is_busy else lambda: session.train_on(source)
        offer_dataset(self._parent, path, train, lambda: session.evaluate_on(source))
