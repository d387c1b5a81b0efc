import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import BUILT_IN, Dataset, Digits, load
from digitpad.formats.progress import ProgressCallback
from digitpad.gui.data import data_dialog
from digitpad.gui.data.data_dialog import ClassRows, DataDialog
from digitpad.gui.data.dataset_choice import OTHER_FILE, OTHER_FOLDER, DatasetChoice
from digitpad.gui.shell.window import Window
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Mode
from digitpad.training.recipe import Recipe
from tests.unit.datasets.idx_files import random_digits, write_folder
from tests.unit.gui.hand import TRAIN, find

DIGITS, TEST = random_digits(60), random_digits(20)


@pytest.fixture
def form(window: Window) -> SettingsForm:
    """Return the settings form of a window with the Train tab shown."""
    window.show_page(TRAIN)
    return window.page(TrainTab).form


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a dataset with 47 class names."""
    digits = Digits(DIGITS.images, np.arange(60, dtype=np.uint8) % 5)
    return write_folder(tmp_path / "emnist-balanced", digits, digits)


def opened(form: SettingsForm, source: str) -> DataDialog:
    form.set_recipe(Recipe().with_values({"data.set": source}))
    find(form, QPushButton, "show_data_button").click()
    return find(form, DataDialog)


def text(dialog: DataDialog, name: str) -> str:
    return find(dialog, QLabel, name).text()


def test_selected_dataset_is_shown(qtbot: QtBot, window: Window, form: SettingsForm, folder: Path) -> None:
    """The dialog shows sizes, notes and a row per class, in both themes."""
    dialog = opened(form, str(folder))
    qtbot.waitUntil(lambda: dialog.overview is not None)
    assert text(dialog, "data_title") == "emnist-balanced"
    assert text(dialog, "data_about").startswith("50 training, 10 validation and 60 test images in 47 cl")
    assert "transposed" in text(dialog, "data_notes")
    rows = find(dialog, ClassRows)
    assert rows.accessibleDescription().startswith("0: 10 training, 2 validation, 12 test; 1: 10 training")
    assert rows.height() >= 47 * 30
    window.session.set_theme(Mode.DARK)
    assert not dialog.grab().isNull()


def test_unreadable_dataset_is_reported(qtbot: QtBot, form: SettingsForm, tmp_path: Path) -> None:
    """If the dataset can't be read, the dialog shows the error, and another dataset can be shown afterwards."""
    dialog = opened(form, str(tmp_path / "nowhere"))
    qtbot.waitUntil(lambda: text(dialog, "data_about") == "This dataset cannot be read.")
    assert "nowhere: does not exist" in text(dialog, "data_notes")
    dialog = opened(form, BUILT_IN)
    qtbot.waitUntil(lambda: dialog.overview is not None)
    assert text(dialog, "data_about").startswith("50")


class SlowReading:
    """Stand-in for `load` that blocks until ``may_end`` is set."""

    def __init__(self) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()
        self.ended = 0

    def __call__(self, source: str, tell: ProgressCallback) -> Dataset:
        self.began.set()
        self.may_end.wait(60)
        try:
            tell(1234)
            return load(source, tell)
        finally:
            self.ended += 1


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowReading]:
    """Replace `load` by a slow one."""
    reading = SlowReading()
    monkeypatch.setattr(data_dialog, "load", reading)
    yield reading
    reading.may_end.set()


def test_closing_ends_loading(qtbot: QtBot, form: SettingsForm, slow: SlowReading, folder: Path) -> None:
    """After the dialog was closed, nothing is shown, and the form waits for the thread to end."""
    dialog = opened(form, str(folder))
    qtbot.waitUntil(slow.began.is_set)
    assert text(dialog, "data_about") == "Reading…"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    slow.may_end.set()
    form.close_preview()
    assert slow.ended == 1
    assert dialog.overview is None


def test_only_the_last_requested_dataset_is_shown(
    qtbot: QtBot, form: SettingsForm, slow: SlowReading, folder: Path
) -> None:
    """If another dataset is requested while one is loading, only the later one is shown."""
    opened(form, str(folder))
    qtbot.waitUntil(slow.began.is_set)
    dialog = opened(form, BUILT_IN)
    slow.may_end.set()
    qtbot.waitUntil(lambda: dialog.overview is not None)
    qtbot.waitUntil(lambda: slow.ended == 2)
    assert dialog.overview is not None
    assert dialog.overview.name == "MNIST"
    form.close_preview()


def test_file_or_folder_can_be_chosen(form: SettingsForm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A chosen file or folder is selected and added to the list; cancelling keeps the selection."""
    choice = find(form, DatasetChoice)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "mine"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    for item in (OTHER_FOLDER, OTHER_FILE):
        choice.setCurrentIndex(choice.findText(item))
        choice.activated.emit(choice.currentIndex())
        assert choice.value() == str(tmp_path / "mine")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "train.csv"), ""))
    choice.setCurrentIndex(choice.findText(OTHER_FILE))
    choice.activated.emit(choice.currentIndex())
    assert (choice.value(), choice.currentText()) == (str(tmp_path / "train.csv"), "train.csv")
    assert [choice.itemText(place) for place in range(3)] == ["MNIST (built in)", "mine", "train.csv"]
