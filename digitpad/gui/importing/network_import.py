"""The way of other people's weights into the window: understood in a thread, shown in a dialog, the choice kept."""

from pathlib import Path

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QWidget

from digitpad.class_names import DIGITS, describe_names
from digitpad.errors import DigitpadError, OutputsError, WeightsError
from digitpad.gui.importing.classes_dialog import ClassesDialog, OutputClasses
from digitpad.gui.importing.convention_dialog import ConventionDialog
from digitpad.gui.importing.import_preferences import ImportPreferences
from digitpad.gui.importing.import_task import OpeningThread
from digitpad.importers.inference.best_convention import ImportResult
from digitpad.importers.inference.conventions import Candidate


class NetworkImport(QObject):
    """Opens one file after the other; of two asked for at once, the later."""

    opened = Signal(object, object)  # Weights, and the Path they came from
    is_data = Signal(object)  # the Path of what turned out to be a data set
    failed = Signal(object)  # DigitpadError
    message = Signal(str)  # a line for the user

    def __init__(self, settings: QSettings, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._told = ImportPreferences(settings)
        self._thread: OpeningThread | None = None
        self._classes_of = ""  # the file that is being opened with classes that were given, by its fingerprint
        self._last: tuple[ImportResult, str] | None = None

    @property
    def busy(self) -> bool:
        """Whether a file is being looked at."""
        return self._thread is not None

    @property
    def can_ask_again(self) -> bool:
        """Whether there are weights whose convention can be chosen anew."""
        return self._last is not None

    def open(self, path: Path) -> None:
        """Find out how a file is meant, and ask; what its outputs stand for is asked only where it is not known."""
        self._begin(path, None, "")

    def _begin(self, path: Path, classes: OutputClasses | None, fingerprint: str) -> None:
        self.shut_down()
        self._classes_of = fingerprint
        self.message.emit(f"Finding out how {path.name} is meant …")
        self._thread = OpeningThread(path, classes, self)
        self._thread.understood.connect(self._understood)
        self._thread.unnamed.connect(self._unnamed)
        self._thread.is_data.connect(self._tell_data)
        self._thread.failed.connect(self._fail)
        self._thread.start()

    def ask_again(self) -> None:
        """Show the conventions of the file that was opened last."""
        if self._last is not None:
            self._ask(*self._last)

    def forget(self) -> None:
        """Other weights are in use; a file that is still looked at was asked for before them."""
        self._last = None
        if self.busy:
            self.shut_down()
            self.message.emit("")

    def shut_down(self) -> None:
        """Leave what is not done yet, and end the thread."""
        if self._thread is not None:
            self._thread.stop()
            self._thread.deleteLater()
            self._thread = None

    def _understood(self, understanding: ImportResult, fingerprint: str) -> None:
        if self._thread is None or self.sender() is not self._thread:  # another file was opened meanwhile
            return
        path, classes = understanding.contents.path, self._thread.classes
        self.shut_down()
        if classes is not None:
            self._told.keep_classes(fingerprint, classes)
        elif (classes := self._told.classes(fingerprint)) is not None:
            self._begin(path, classes, fingerprint)
            return
        kept = self._told.candidate(understanding, fingerprint)
        if kept is None:
            self.message.emit("")
            self._ask(understanding, fingerprint)
        else:
            self._use(understanding, fingerprint, kept)

    def _unnamed(self, error: OutputsError, fingerprint: str) -> None:
        if self._thread is None or self.sender() is not self._thread:
            return
        if self._thread.classes is not None:
            self._fail(error)
        elif (classes := self._told.classes(fingerprint)) is not None:
            self._begin(error.path, classes, fingerprint)
        else:
            self.shut_down()
            self.message.emit("")
            self._ask_classes(error.path, error.n_outputs, fingerprint)

    def _ask_classes(self, path: Path, n_outputs: int, fingerprint: str) -> None:
        dialog = ClassesDialog(path.name, n_outputs, self._parent)

        def name() -> None:
            classes = dialog.classes
            assert classes is not None  # it is not accepted without
            self._begin(path, classes, fingerprint)

        dialog.accepted.connect(name)
        dialog.open()

    def _tell_data(self) -> None:
        if self._thread is None or self.sender() is not self._thread:
            return
        path = self._thread.path
        self.shut_down()
        self.message.emit("")
        self.is_data.emit(path)

    def _fail(self, error: DigitpadError) -> None:
        if self._thread is None or self.sender() is not self._thread:
            return
        if self._classes_of:  # what was said of it does not hold, or not any more; the next time, it is asked anew
            self._told.forget_classes(self._classes_of)
        self.shut_down()
        self.message.emit("")
        self.failed.emit(error)

    def _ask(self, understanding: ImportResult, fingerprint: str) -> None:
        chosen = self._told.candidate(understanding, fingerprint) or understanding.chosen
        dialog = ConventionDialog(understanding, chosen, self._parent)
        n, path = len(understanding.yardstick.class_names), understanding.contents.path
        dialog.accepted.connect(lambda: self._choose(understanding, fingerprint, dialog.candidate))
        dialog.classes_doubted.connect(lambda: self._ask_classes(path, n, fingerprint))
        dialog.open()

    def _choose(self, understanding: ImportResult, fingerprint: str, candidate: Candidate) -> None:
        self._told.keep_candidate(fingerprint, candidate)
        self._use(understanding, fingerprint, candidate)

    def _use(self, understanding: ImportResult, fingerprint: str, candidate: Candidate) -> None:
        try:
            weights = understanding.weights(candidate)
        except WeightsError as error:
            self.failed.emit(error)
            return
        path = understanding.contents.path
        self.opened.emit(weights, path)
        self._last = (understanding, fingerprint)
        convention = candidate.convention
        how = f"{convention.activation}, {convention.scaling}" + ", transposed" * convention.transposed
        of = "" if weights.class_names == DIGITS else f", of {describe_names(weights.class_names)}"
        self.message.emit(f"Reading with {path.name}, taken as {how}{of}")
