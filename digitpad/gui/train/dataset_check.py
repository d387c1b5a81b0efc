"""Check of a dataset as soon as it is chosen, so that one that cannot be read is refused before training."""

from PySide6.QtCore import QObject, Signal

from digitpad.datasets.dataset import BUILT_IN
from digitpad.errors import FileError
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message


class DatasetCheck(QObject):
    """Reads the dataset that was chosen last, as a task."""

    checked = Signal(str, str)  # name or path of the dataset, and why it cannot be read; empty if it can

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = TaskRunner("dataset check", Policy.LATEST, parent)
        self._loader = DatasetLoader(BUILT_IN)

    def check(self, source: str) -> None:
        """Start to read a dataset; the one before is given up."""
        self.give_up()
        if source == BUILT_IN:
            return
        loader = self._loader = DatasetLoader(source)

        def read() -> None:
            loader.get()

        self._tasks.start(
            read,
            finished=lambda _: self._end(source, ""),
            failed=lambda error: self._end(source, _problem(error)),
        )

    def give_up(self) -> None:
        """Stop reading."""
        self._loader.give_up()
        self._tasks.cancel()

    def _end(self, source: str, problem: str) -> None:
        self._loader = DatasetLoader(BUILT_IN)  # frees the images
        self.checked.emit(source, problem)


def _problem(error: BaseException) -> str:
    return f"“{error.path.name}” {error.problem}" if isinstance(error, FileError) else error_message(error)
