"""Lazy loading of a dataset, when a task first needs it."""

import threading

from digitpad.datasets.dataset import Dataset, load
from digitpad.gui.tasks.task import TaskCancelledError


class DatasetLoader:
    """Loader that reads a dataset once, for all tasks that need it.

    Parameters
    ----------
    source : str
        Name or path of the dataset.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._dataset: Dataset | None = None
        self._given_up = False

    def get(self) -> Dataset:
        """Return the dataset; the first caller reads it, others wait for that.

        Raises
        ------
        DigitpadError
            If it cannot be read.
        TaskCancelledError
            After `give_up`.
        """
        with self._lock:
            if self._dataset is None:
                self._dataset = load(self.source, self._check)
            return self._dataset

    def other(self, source: str) -> Dataset:
        """Return another dataset, or this one if it has that name; `give_up` cancels loading it, too."""
        return self.get() if source == self.source else load(source, self._check)

    def give_up(self) -> None:
        """Cancel loading, because no task needs the dataset any more."""
        self._given_up = True

    def _check(self, _n_read: int) -> None:
        if self._given_up:
            raise TaskCancelledError
