"""Import of networks: infer how to use a file, ask the user, and remember the answer."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from digitpad.class_names import DIGITS, describe_names
from digitpad.errors import DigitpadError, WeightsError
from digitpad.gui.importing.classes_dialog import ClassesDialog, OutputClasses
from digitpad.gui.importing.convention_dialog import ConventionDialog
from digitpad.gui.importing.import_preferences import ImportPreferences
from digitpad.gui.importing.import_task import ImportOutcome, import_network
from digitpad.gui.importing.opening_dialog import OpeningDialog
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.importers.inference.best_convention import ImportResult
from digitpad.importers.inference.conventions import Candidate
from digitpad.weights.native_format import Weights


class NetworkImport(QObject):
    """Importer of one file at a time; a later file replaces an earlier one."""

    is_dataset = Signal(object)  # Path of a file that is a dataset, not a network

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._session = session
        self._preferences = ImportPreferences(session.preferences)
        self._tasks = TaskRunner("network import", Policy.LATEST, self)
        self._opening: OpeningDialog | None = None
        self._in_use: tuple[ImportResult, str, Weights] | None = None
        session.network_changed.connect(self._forget)

    @property
    def busy(self) -> bool:
        """Whether a file is being opened."""
        return self._tasks.busy

    @property
    def can_ask_again(self) -> bool:
        """Whether the network in use was imported, so that its import options can be changed."""
        return self._in_use is not None

    def open(self, path: Path) -> None:
        """Open a file; the user is asked how to use it, unless that is known."""
        self._start(path, None, "")

    def ask_again(self) -> None:
        """Show the import options of the network in use."""
        if self._in_use is not None:
            result, fingerprint, _ = self._in_use
            self._ask(result, fingerprint)

    def _start(self, path: Path, classes: OutputClasses | None, fingerprint: str) -> None:
        """Start reading a file; ``fingerprint`` is given where the classes come from the preferences."""
        self._session.say(f"Opening {path.name}…")
        self._close_dialog()
        self._opening = OpeningDialog(path.name, self._parent)
        self._opening.canceled.connect(self.cancel)
        self._tasks.start(
            lambda: import_network(path, classes),
            finished=self._show,
            failed=lambda error: self._fail(path, error, fingerprint),
            progressed=lambda n: self._say_progress(path, n),
        )

    def cancel(self) -> None:
        """Stop opening a file; the network in use stays."""
        self._close_dialog()
        if self.busy:
            self._tasks.cancel()
            self._session.say("")

    def _say_progress(self, path: Path, n: int) -> None:
        self._session.say(f"Opening {path.name}… {n:,} options tested")
        if self._opening is not None:
            self._opening.show_tested(n)

    def _close_dialog(self) -> None:
        dialog, self._opening = self._opening, None
        if dialog is not None:
            dialog.finish()

    def _forget(self, weights: Weights) -> None:
        """Drop the import options, and cancel an import, because another network is in use."""
        if self._in_use is not None and self._in_use[2] is not weights:
            self._in_use = None
        self.cancel()

    def _show(self, outcome: ImportOutcome) -> None:
        self._close_dialog()
        path, fingerprint = outcome.path, outcome.fingerprint
        known = self._preferences.classes(fingerprint) if fingerprint else None
        if outcome.is_dataset:
            self._session.say("")
            self.is_dataset.emit(path)
        elif outcome.unnamed is not None and outcome.classes is not None:
            self._fail(path, outcome.unnamed, fingerprint)
        elif outcome.classes is None and known is not None:
            self._start(path, known, fingerprint)
        elif outcome.unnamed is not None:
            self._session.say("")
            self._ask_classes(path, outcome.unnamed.n_outputs, fingerprint)
        elif outcome.result is not None:
            if outcome.classes is not None:
                self._preferences.keep_classes(fingerprint, outcome.classes)
            self._show_result(outcome.result, fingerprint)

    def _show_result(self, result: ImportResult, fingerprint: str) -> None:
        kept = self._preferences.candidate(result, fingerprint)
        if kept is None:
            self._session.say("")
            self._ask(result, fingerprint)
        else:
            self._use(result, fingerprint, kept)

    def _ask_classes(self, path: Path, n_outputs: int, fingerprint: str) -> None:
        dialog = ClassesDialog(path.name, n_outputs, self._parent)

        def start() -> None:
            classes = dialog.classes
            assert classes is not None  # the dialog accepts nothing else
            self._start(path, classes, fingerprint)

        dialog.accepted.connect(start)
        dialog.open()

    def _fail(self, path: Path, error: Exception, fingerprint: str) -> None:
        self._close_dialog()
        if fingerprint:  # the classes that were given do not fit: ask again the next time
            self._preferences.forget_classes(fingerprint)
        self._session.say("")
        if not isinstance(error, DigitpadError):
            error = WeightsError(path, f"cannot be opened ({error_message(error)})")
        self._session.raise_error("This network can't be opened", error)

    def _ask(self, result: ImportResult, fingerprint: str) -> None:
        chosen = self._preferences.candidate(result, fingerprint) or result.chosen
        dialog = ConventionDialog(result, chosen, self._parent)
        n, path = len(result.probe_set.class_names), result.tensor_tree.path
        dialog.accepted.connect(lambda: self._choose(result, fingerprint, dialog.candidate))
        dialog.classes_doubted.connect(lambda: self._ask_classes(path, n, fingerprint))
        dialog.open()

    def _choose(self, result: ImportResult, fingerprint: str, candidate: Candidate) -> None:
        self._preferences.keep_candidate(fingerprint, candidate)
        self._use(result, fingerprint, candidate)

    def _use(self, result: ImportResult, fingerprint: str, candidate: Candidate) -> None:
        try:
            weights = result.weights(candidate)
        except WeightsError as error:
            self._session.raise_error("This network can't be opened", error)
            return
        path = result.tensor_tree.path
        self._in_use = result, fingerprint, weights
        self._session.use_network(weights, path)
        convention = candidate.convention
        options = f"{convention.activation}, {convention.scaling}" + ", transposed" * convention.transposed
        classes = "" if weights.class_names == DIGITS else f", classes {describe_names(weights.class_names)}"
        self._session.say(f"Reading with {path.name} ({options}{classes})", Lifetime.NETWORK)
