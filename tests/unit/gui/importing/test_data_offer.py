import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QMessageBox
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.data.data_dialog import DataDialog
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.inspect.inspect_tab import InspectTab
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.weights.native_format import SHIPPED
from tests.integration.test_window import digit_image, drop, file_mime, problem_of
from tests.unit.datasets.set_files import csv_text, keras, pickled, write_images, zipped
from tests.unit.gui.hand import find, reads


@pytest.fixture
def keras_file(tmp_path: Path) -> Path:
    """Return a Keras-style file with 700 digits."""
    path = tmp_path / "some.npz"
    path.write_bytes(zipped(keras(mnist().training[:600], mnist().test[:100])))
    return path


def answer(qtbot: QtBot, window: Window, text: str) -> str:
    """Press a button of the data offer, and return the text of the dialog."""
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "data_offer") is not None)
    box = find(window, QMessageBox, "data_offer")
    message = box.text()
    button = next(button for button in box.buttons() if button.text().replace("&", "") == text)
    assert button.isEnabled()
    with qtbot.waitSignal(box.destroyed):
        button.click()
    return message


def test_dropped_dataset_can_be_trained_on(qtbot: QtBot, window: Window, keras_file: Path) -> None:
    """Train on it selects the dataset in the Train tab and opens the data dialog."""
    before = window.session.weights
    drop(window, file_mime(keras_file))
    assert answer(qtbot, window, "Train on it") == "some.npz is a dataset"
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.data.set == str(keras_file)
    dialog = find(window, DataDialog)
    qtbot.waitUntil(lambda: dialog.overview is not None)
    assert find(dialog, QLabel, "data_about").text().startswith("500 training, ")
    assert window.session.weights is before


def test_images_without_labels_are_not_offered(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Images without labels, such as Kaggle's test.csv, give an error instead of an offer."""
    digits = mnist().test[:60]
    rows = [",".join(map(str, image.ravel())) for image in digits.images]
    header = ",".join(f"pixel{i}" for i in range(784))
    (tmp_path / "test.csv").write_text("\n".join([header, *rows]))
    message = problem_of(qtbot, window, partial(window.clipboard.open_any, tmp_path / "test.csv"))
    assert "without labels" in message


def test_dropped_dataset_can_be_evaluated(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Evaluate with it selects the dataset in the Evaluate tab and shows the tab."""
    folder = write_images(tmp_path / "mine", mnist().test[:60])
    window.clipboard.open_any(folder)
    answer(qtbot, window, "Evaluate with it")
    assert window.page(EvaluateTab).data_choice.value() == str(folder)
    assert window.page(EvaluateTab).isVisible()


@pytest.mark.parametrize("what_for", ["Train on it", "Evaluate with it"])
def test_opened_dataset_is_listed_on_all_tabs(qtbot: QtBot, window: Window, keras_file: Path, what_for: str) -> None:
    """An opened dataset is listed on every tab, and is selected with a network that was trained on it."""
    inside = window.page(InspectTab)
    drop(window, file_mime(keras_file))
    answer(qtbot, window, what_for)
    for tab in (window.page(TrainTab).form, window.page(EvaluateTab), inside):
        assert str(keras_file) in tab.data_choice.sources()
    about = {"recipe": {"data": {"set": str(keras_file)}}}
    inside.data_choice.follow(replace(window.session.weights, about=about))
    assert inside.data_choice.value() == str(keras_file)


def test_dataset_opened_as_a_network_is_offered(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """A CSV of digits that is opened as a network is offered as a dataset; Cancel keeps the selected dataset."""
    path = tmp_path / "train.csv"
    path.write_text(csv_text(mnist().training[:20]))
    window.networks.open(path)
    answer(qtbot, window, "Cancel")
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.data.set == "mnist"


def test_pickled_dataset_can_be_trained_on(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """A pickled dataset, which may be larger than a network may be, is recognised and offered."""
    path = tmp_path / "mnist.pkl.gz"
    digits = mnist().training[:25_000]
    path.write_bytes(gzip.compress(pickled(digits[:24_000], digits[24_000:], mnist().test[:500], 4), 1))
    before = window.session.weights
    drop(window, file_mime(path))
    assert answer(qtbot, window, "Train on it") == "mnist.pkl.gz is a dataset"
    dialog = find(window, DataDialog)
    qtbot.waitUntil(lambda: dialog.overview is not None)
    assert "validation set (1,000 images) was appended to its training set" in find(dialog, QLabel, "data_notes").text()
    assert window.session.weights is before


def test_opening_a_network_cancels_an_earlier_check(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Opening a network cancels the check of a file that was opened before it."""
    path = tmp_path / "mnist.pkl.gz"
    digits = mnist().training[:5000]
    path.write_bytes(gzip.compress(pickled(digits, digits, digits, 4), 1))
    window.networks.open(path)
    window.networks.open(SHIPPED)
    assert not window.networks.importer.busy
    window.networks.open(path)
    assert answer(qtbot, window, "Cancel") == "mnist.pkl.gz is a dataset"
    assert window.findChild(QMessageBox, "data_offer") is None


@contextmanager
def fed_pipe(path: Path) -> Iterator[list[str]]:
    """Create a pipe that sends text to every reader, and yield a list with an entry per reader."""
    os.mkfifo(path)
    served: list[str] = []
    over = threading.Event()

    def feed() -> None:
        while not over.wait(0.01):
            with suppress(OSError):  # no reader yet
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                served.append("something")
                os.write(pipe, b"something\n")
                os.close(pipe)

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        yield served
    finally:
        over.set()
        feeding.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["pipe", "pipe.png", "pipe.jsonl", "pipe.npz"])
def test_nothing_is_read_from_a_pipe(qtbot: QtBot, window: Window, tmp_path: Path, name: str) -> None:
    """A dropped pipe is refused without being opened, because reading it could block the window."""
    pipe = tmp_path / name
    with fed_pipe(pipe) as served:
        problem = problem_of(qtbot, window, lambda: drop(window, file_mime(pipe)))
    assert "neither a file nor a folder" in problem
    assert served == []


def test_files_without_a_suffix_are_recognised(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """Files without a suffix are recognised by their content, as an image or as a network."""
    digit_image(7).save(str(tmp_path / "seven.png"))
    (tmp_path / "seven.png").rename(tmp_path / "seven")
    window.clipboard.open_any(tmp_path / "seven")
    qtbot.waitUntil(lambda: reads(window, 7))
    (tmp_path / "weights").write_bytes(b"\x80\x04N.")
    assert "without arrays" in problem_of(qtbot, window, lambda: window.clipboard.open_any(tmp_path / "weights"))
