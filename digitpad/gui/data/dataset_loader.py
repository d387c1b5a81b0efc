"""A data set that is read when it is first wanted, by whichever thread wants it."""

import threading

from digitpad.datasets.dataset import Dataset, load
from digitpad.errors import DigitpadError


class DatasetLoader:
    """Reads a data set once, for all who ask; reading a large one can be given up."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._dataset: Dataset | None = None
        self._given_up = False

    def get(self) -> Dataset:
        """The data set; the first one to ask waits while it is read.

        Raises
        ------
        DigitpadError
            If it cannot be read, or is not wanted any more.
        """
        with self._lock:
            if self._dataset is None:
                self._dataset = load(self.source, self._tell)
            return self._dataset

    def other(self, source: str) -> Dataset:
        """A data set that is wanted beside this one, or this one by its name; its reading is given up likewise."""
        return self.get() if source == self.source else load(source, self._tell)

    def give_up(self) -> None:
        """Nobody wants it any more."""
        self._given_up = True

    def _tell(self, _n_read: int) -> None:
        if self._given_up:
            raise DigitpadError(f"{self.source}: is not wanted any more")
