import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.download.fetch import sets_folder
from digitpad.datasets.download.sources import SOURCES
from digitpad.gui.data.dataset_choice import DOWNLOAD, DatasetChoice
from digitpad.gui.data.download_dialog import DownloadDialog
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.shell.window import Window
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.train_tab import TrainTab
from tests.unit.datasets.local_server import Server, serving, source_of
from tests.unit.gui.hand import TRAIN, find

NAME = "fashion-mnist"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a local server in place of the one that publishes Fashion-MNIST."""
    with serving(tmp_path / "published") as running:
        monkeypatch.setitem(SOURCES, NAME, source_of(running, running.url))
        yield running


@pytest.fixture
def form(window: Window) -> SettingsForm:
    """Return the settings form of a window with the Train tab shown."""
    window.show_page(TRAIN)
    return window.page(TrainTab).form


@pytest.fixture
def dialog(server: Server, window: Window, form: SettingsForm) -> DownloadDialog:
    """Return the dialog, opened from the list of datasets."""
    choice = find(form, DatasetChoice)
    choice.setCurrentIndex(choice.findText(DOWNLOAD))
    choice.activated.emit(choice.currentIndex())
    assert choice.value() == "mnist"
    return find(window, DownloadDialog)


def button(dialog: DownloadDialog) -> QPushButton:
    return find(dialog, QPushButton, f"download_{NAME}")


def message_of(dialog: DownloadDialog) -> str:
    return find(dialog, QLabel, "download_said").text()


def test_opening_the_dialog_requests_nothing(server: Server, dialog: DownloadDialog) -> None:
    """The dialog shows its contents without a request to the server."""
    assert server.asked == []
    assert button(dialog).text() == "Download"
    assert "SHA-256" in message_of(dialog)


def test_dataset_is_downloaded_and_used(qtbot: QtBot, dialog: DownloadDialog, form: SettingsForm) -> None:
    """A downloaded dataset is added to the list, and Use selects it."""
    button(dialog).click()
    assert not button(dialog).isEnabled()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")
    choice = find(form, DatasetChoice)
    assert choice.findText(NAME) > 0
    button(dialog).click()
    assert not dialog.isVisible()
    assert choice.value() == str(sets_folder() / NAME)
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.data.set == str(sets_folder() / NAME)


def test_downloaded_dataset_is_listed_on_all_tabs(qtbot: QtBot, window: Window, dialog: DownloadDialog) -> None:
    """A downloaded dataset is added to the lists of open tabs, but is not selected there."""
    choice = window.page(EvaluateTab).data_choice
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")
    assert str(sets_folder() / NAME) in choice.sources()
    assert choice.value() == "mnist"


def test_failed_download_is_reported(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """A failed download shows the error, and can be repeated."""
    files = dict(server.files)
    server.files.clear()
    button(dialog).click()
    qtbot.waitUntil(lambda: "404 Not Found" in message_of(dialog))
    assert button(dialog).isEnabled()
    assert not (sets_folder() / NAME).exists()
    server.files.update(files)
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")


def start_download(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """Start a download that pauses in the middle of a file."""
    images = "train-images-idx3-ubyte.gz"
    server.cut[images] = 20_000
    server.paused.add(images)
    button(dialog).click()
    qtbot.waitUntil(lambda: (images, "") in server.asked)


def test_download_can_be_stopped_and_resumed(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """A stopped download can be resumed."""
    start_download(qtbot, server, dialog)
    find(dialog, QPushButton, "download_stop").click()
    server.held.set()
    qtbot.waitUntil(lambda: message_of(dialog).startswith("Stopped."))
    assert not (sets_folder() / NAME).exists()
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")


def test_closing_the_window_stops_a_download(
    qtbot: QtBot, server: Server, dialog: DownloadDialog, window: Window
) -> None:
    """Closing the dialog does not stop a download; closing the window does."""
    start_download(qtbot, server, dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert "download" in [thread.name for thread in threading.enumerate()]
    server.held.set()
    window.close()
    assert "download" not in [thread.name for thread in threading.enumerate()]


def test_use_does_not_change_the_dataset_during_training(
    qtbot: QtBot, dialog: DownloadDialog, form: SettingsForm
) -> None:
    """While settings cannot be edited, as during training, Use does not change the dataset."""
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")
    form.set_editable(False)
    button(dialog).click()
    assert find(form, DatasetChoice).value() == "mnist"
    form.set_editable(True)
