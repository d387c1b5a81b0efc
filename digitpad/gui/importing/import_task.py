"""Reading of a network file of unknown origin, as the work of a task."""

from dataclasses import dataclass
from pathlib import Path

from digitpad.datasets.dataset import load
from digitpad.datasets.readers.open_dataset import is_data_set
from digitpad.errors import OutputsError
from digitpad.gui.importing.classes_dialog import OutputClasses
from digitpad.gui.tasks.task import report
from digitpad.importers.inference.best_convention import ImportResult
from digitpad.importers.open_file import fingerprint, infer_import


@dataclass(frozen=True)
class ImportOutcome:
    """Result of reading a file.

    Attributes
    ----------
    path : Path
    classes : OutputClasses or None
        Classes of the outputs, as the user gave them.
    fingerprint : str
        Identifies the content of the file; empty for a dataset.
    result : ImportResult or None
        The network.
    unnamed : OutputsError or None
        Why the user has to name the classes of the outputs.
    """

    path: Path
    classes: OutputClasses | None
    fingerprint: str = ""
    result: ImportResult | None = None
    unnamed: OutputsError | None = None

    @property
    def is_dataset(self) -> bool:
        """Whether the file holds a dataset, not a network."""
        return self.result is None and self.unnamed is None


def import_network(path: Path, classes: OutputClasses | None) -> ImportOutcome:
    """Infer how to use the network in a file; without classes, the file may turn out to be a dataset.

    Raises
    ------
    DigitpadError
        If the file cannot be used.
    TaskCancelledError
        If the task is cancelled.
    """
    if classes is None and is_data_set(path, lambda _n_read: report()):
        return ImportOutcome(path, None)
    given = classes or OutputClasses()
    data = load(given.data, lambda _n_read: report()) if given.data else None
    try:
        result = infer_import(path, class_names=given.names or None, data=data, tell=lambda _n_tested: report())
    except OutputsError as error:
        return ImportOutcome(path, classes, fingerprint(path), unnamed=error)
    return ImportOutcome(path, classes, fingerprint(path), result)
