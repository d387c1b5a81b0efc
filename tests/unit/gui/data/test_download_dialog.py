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
    """A local server that is taken for where Fashion-MNIST is published."""
    with serving(tmp_path / "published") as running:
        monkeypatch.setitem(SOURCES, NAME, source_of(running, running.url))
        yield running


@pytest.fixture
def form(window: Window) -> SettingsForm:
    """The form of a window that shows it."""
    window.show_page(TRAIN)
    return window.page(TrainTab).form


@pytest.fixture
def dialog(server: Server, window: Window, form: SettingsForm) -> DownloadDialog:
    """The dialog, opened from the choice of data."""
    choice = find(form, DatasetChoice)
    choice.setCurrentIndex(choice.findText(DOWNLOAD))
    choice.activated.emit(choice.currentIndex())
    assert choice.value() == "mnist"
    return find(window, DownloadDialog)


def button(dialog: DownloadDialog) -> QPushButton:
    return find(dialog, QPushButton, f"download_{NAME}")


def said(dialog: DownloadDialog) -> str:
    return find(dialog, QLabel, "download_said").text()


def test_nothing_is_fetched_until_it_is_asked_for(server: Server, dialog: DownloadDialog) -> None:
    """What there is, how large, and under which licence is told without asking anybody."""
    assert server.asked == []
    assert button(dialog).text() == "Download"
    assert "SHA-256" in said(dialog)


def test_a_set_is_downloaded_and_used(qtbot: QtBot, dialog: DownloadDialog, form: SettingsForm) -> None:
    """It joins the choice, and Use chooses it."""
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


def test_a_downloaded_set_is_offered_on_all_tabs(qtbot: QtBot, window: Window, dialog: DownloadDialog) -> None:
    """Those that were opened before it was there, though it is used on one alone."""
    choice = window.page(EvaluateTab).data_choice
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")
    assert str(sets_folder() / NAME) in choice.sources()
    assert choice.value() == "mnist"


def test_what_goes_wrong_is_told(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """And it can be tried again."""
    files = dict(server.files)
    server.files.clear()
    button(dialog).click()
    qtbot.waitUntil(lambda: "404 Not Found" in said(dialog))
    assert button(dialog).isEnabled()
    assert not (sets_folder() / NAME).exists()
    server.files.update(files)
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")


def begun(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """A download that waits in the midst of a file."""
    images = "train-images-idx3-ubyte.gz"
    server.cut[images] = 20_000
    server.paused.add(images)
    button(dialog).click()
    qtbot.waitUntil(lambda: (images, "") in server.asked)


def test_a_download_can_be_stopped_and_gone_on_with(qtbot: QtBot, server: Server, dialog: DownloadDialog) -> None:
    """What was fetched is kept."""
    begun(qtbot, server, dialog)
    find(dialog, QPushButton, "download_stop").click()
    server.held.set()
    qtbot.waitUntil(lambda: said(dialog).startswith("Stopped."))
    assert not (sets_folder() / NAME).exists()
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")


def test_closing_the_window_ends_a_download(
    qtbot: QtBot, server: Server, dialog: DownloadDialog, window: Window
) -> None:
    """The dialog alone may be closed while it goes on."""
    begun(qtbot, server, dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert "download" in [thread.name for thread in threading.enumerate()]
    server.held.set()
    window.close()
    assert "download" not in [thread.name for thread in threading.enumerate()]


def test_a_training_under_way_keeps_its_data(qtbot: QtBot, dialog: DownloadDialog, form: SettingsForm) -> None:
    """The choice rests with the other settings."""
    button(dialog).click()
    qtbot.waitUntil(lambda: button(dialog).text() == "Use")
    form.set_editable(False)
    button(dialog).click()
    assert find(form, DatasetChoice).value() == "mnist"
    form.set_editable(True)
