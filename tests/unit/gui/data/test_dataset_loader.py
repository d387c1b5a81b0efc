import threading

import pytest

from digitpad.datasets.dataset import mnist
from digitpad.errors import DataError
from digitpad.formats.progress import ProgressCallback
from digitpad.gui.data import dataset_loader
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.tasks.task import TaskCancelledError


def test_dataset_is_loaded_once_for_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several threads share a single load, and a missing dataset raises DataError."""
    read: list[str] = []

    def load(source: str, tell: ProgressCallback) -> object:
        read.append(source)
        return mnist()

    monkeypatch.setattr(dataset_loader, "load", load)
    data = DatasetLoader("mine")
    assert not read
    threads = [threading.Thread(target=data.get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert data.get() is mnist()
    assert read == ["mine"]
    monkeypatch.undo()
    with pytest.raises(DataError, match="nowhere: does not exist"):
        DatasetLoader("nowhere").get()


def test_loading_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After `give_up`, loading is cancelled at its next progress report."""
    data = DatasetLoader("mine")

    def load(source: str, tell: ProgressCallback) -> object:
        tell(100)
        data.give_up()
        tell(200)
        return mnist()

    monkeypatch.setattr(dataset_loader, "load", load)
    with pytest.raises(TaskCancelledError):
        data.get()
