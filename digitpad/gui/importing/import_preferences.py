"""What the user told of files of other people's weights: what their outputs stand for, and how they are meant.

It is kept between sessions; a file is known by its `digitpad.importers.open_file.fingerprint`.
"""

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings

from digitpad.class_names import are_names
from digitpad.errors import OutputsError
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.importing.classes_dialog import OutputClasses
from digitpad.importers.inference.best_convention import ImportResult
from digitpad.importers.inference.conventions import Candidate
from digitpad.importers.open_file import fingerprint, infer_import, open_weights
from digitpad.weights.native_format import Weights, is_own


class ImportPreferences:
    """Any thread may ask, as each time settings of its own are opened on the same file.

    Parameters
    ----------
    settings : QSettings
        Where it is kept.
    """

    def __init__(self, settings: QSettings) -> None:
        self._where = settings.fileName(), settings.format()

    def classes(self, fingerprint: str) -> OutputClasses | None:
        """What the outputs of a file stand for; None where nothing was said."""
        try:
            kept: Any = json.loads(str(self._settings().value(f"classes/{fingerprint}", "")))
        except ValueError:
            return None
        match kept:
            case [list() as names, str() as data] if data or are_names(names):
                return OutputClasses(tuple(names), data)
        return None

    def keep_classes(self, fingerprint: str, classes: OutputClasses) -> None:
        """Remember what the outputs of a file stand for."""
        self._settings().setValue(f"classes/{fingerprint}", json.dumps([classes.names, classes.data]))

    def forget_classes(self, fingerprint: str) -> None:
        """What was said does not hold, or not any more."""
        self._settings().remove(f"classes/{fingerprint}")

    def candidate(self, understanding: ImportResult, fingerprint: str) -> Candidate | None:
        """The candidate that was chosen the last time."""
        text = self._convention(fingerprint)
        kinds = {json.dumps(one.convention.as_dict()): one for one in understanding.candidates}
        return kinds.get(text)

    def keep_candidate(self, fingerprint: str, candidate: Candidate) -> None:
        """Remember how a file is meant."""
        self._settings().setValue(f"conventions/{fingerprint}", json.dumps(candidate.convention.as_dict()))

    def weights(self, path: Path, data: DatasetLoader) -> Weights:
        """The weights in a file of any kind: as they were used the last time, else as ``data`` shows them to be meant.

        Raises
        ------
        DigitpadError
            If there are none that fit, or a data set cannot be read.
        """
        if is_own(path):
            return open_weights(path)
        known_by = fingerprint(path)
        classes = self.classes(known_by)
        if classes is None and not self._convention(known_by):
            try:
                return open_weights(path, data=data.get())
            except OutputsError as error:
                problem = f"{error.problem}; “Load weights…” asks what they stand for"
                raise OutputsError(path, problem, error.n_outputs) from error
        classes = classes or OutputClasses()
        named_by = data.other(classes.data) if classes.data else None
        understanding = infer_import(path, class_names=classes.names or None, data=named_by)
        return understanding.weights(self.candidate(understanding, known_by))

    def _convention(self, fingerprint: str) -> str:
        return str(self._settings().value(f"conventions/{fingerprint}", ""))

    def _settings(self) -> QSettings:
        return QSettings(*self._where)
