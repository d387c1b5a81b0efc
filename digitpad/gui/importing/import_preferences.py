"""Import options that the user chose for network files, kept between sessions.

A file is identified by its `digitpad.importers.open_file.fingerprint`.
"""

from pathlib import Path

from digitpad.class_names import are_names
from digitpad.errors import OutputsError
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.importing.classes_dialog import OutputClasses
from digitpad.gui.preferences import Preferences
from digitpad.importers.inference.best_convention import ImportResult
from digitpad.importers.inference.conventions import Candidate
from digitpad.importers.open_file import fingerprint, infer_import, open_weights
from digitpad.weights.native_format import Weights, is_own


class ImportPreferences:
    """Classes and conventions by fingerprint; usable from any thread.

    Parameters
    ----------
    preferences : Preferences
    """

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def classes(self, fingerprint: str) -> OutputClasses | None:
        """Return the classes of a file's outputs, or None if the user gave none."""
        match self._store.record(f"classes/{fingerprint}"):
            case [list() as names, str() as data] if data or are_names(names):
                return OutputClasses(tuple(names), data)
        return None

    def keep_classes(self, fingerprint: str, classes: OutputClasses) -> None:
        """Keep the classes of a file's outputs."""
        self._store.set_record(f"classes/{fingerprint}", [classes.names, classes.data])

    def forget_classes(self, fingerprint: str) -> None:
        """Drop the classes of a file's outputs."""
        self._store.set_record(f"classes/{fingerprint}", None)

    def candidate(self, result: ImportResult, fingerprint: str) -> Candidate | None:
        """Return the candidate that the user chose the last time, or None."""
        kept = self._store.record(f"conventions/{fingerprint}")
        return next((candidate for candidate in result.candidates if candidate.convention.as_dict() == kept), None)

    def keep_candidate(self, fingerprint: str, candidate: Candidate) -> None:
        """Keep the convention that the user chose."""
        self._store.set_record(f"conventions/{fingerprint}", candidate.convention.as_dict())

    def weights(self, path: Path, data: DatasetLoader) -> Weights:
        """Open a network file of any kind, with the options that the user chose last, or those inferred from ``data``.

        Raises
        ------
        DigitpadError
            If the file holds no network that fits, or a dataset cannot be read.
        """
        if is_own(path):
            return open_weights(path)
        identity = fingerprint(path)
        classes = self.classes(identity)
        if classes is None and self._store.record(f"conventions/{identity}") is None:
            try:
                return open_weights(path, data=data.get())
            except OutputsError as error:
                problem = f"{error.problem}; File › Open network… asks for the classes of its outputs"
                raise OutputsError(path, problem, error.n_outputs) from error
        classes = classes or OutputClasses()
        named_by = data.other(classes.data) if classes.data else None
        result = infer_import(path, class_names=classes.names or None, data=named_by)
        return result.weights(self.candidate(result, identity))

    @property
    def _store(self) -> Preferences:
        """Settings for the current thread, because a `QSettings` belongs to one thread."""
        return self._preferences.reopened()
