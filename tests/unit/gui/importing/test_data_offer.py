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
    """A few hundred digits as Keras keeps them."""
    path = tmp_path / "some.npz"
    path.write_bytes(zipped(keras(mnist().training[:600], mnist().test[:100])))
    return path


def answer(qtbot: QtBot, window: Window, text: str) -> str:
    """Press a button of the offer, and return what it said."""
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "data_offer") is not None)
    box = find(window, QMessageBox, "data_offer")
    said = box.text()
    button = next(button for button in box.buttons() if button.text().replace("&", "") == text)
    assert button.isEnabled()
    with qtbot.waitSignal(box.destroyed):
        button.click()
    return said


def test_a_dropped_data_set_is_trained_on(qtbot: QtBot, window: Window, keras_file: Path) -> None:
    """It is chosen in the Train tab, and shown."""
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
    """It is told at once what they lack, as Kaggle's test.csv does."""
    digits = mnist().test[:60]
    rows = [",".join(map(str, image.ravel())) for image in digits.images]
    header = ",".join(f"pixel{i}" for i in range(784))
    (tmp_path / "test.csv").write_text("\n".join([header, *rows]))
    said = problem_of(qtbot, window, partial(window.clipboard.open_any, tmp_path / "test.csv"))
    assert "without labels" in said


def test_a_dropped_data_set_is_evaluated_with(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """It is chosen in the Evaluate tab, whose button does the rest."""
    folder = write_images(tmp_path / "mine", mnist().test[:60])
    window.clipboard.open_any(folder)
    answer(qtbot, window, "Evaluate with it")
    assert window.page(EvaluateTab).data_choice.value() == str(folder)
    assert window.page(EvaluateTab).isVisible()


@pytest.mark.parametrize("what_for", ["Train on it", "Evaluate with it"])
def test_a_dropped_data_set_is_offered_on_all_tabs(
    qtbot: QtBot, window: Window, keras_file: Path, what_for: str
) -> None:
    """Those that were opened before as well as those that come later; weights trained on it have it chosen."""
    inside = window.page(InspectTab)
    drop(window, file_mime(keras_file))
    answer(qtbot, window, what_for)
    for tab in (window.page(TrainTab).form, window.page(EvaluateTab), inside):
        assert str(keras_file) in tab.data_choice.sources()
    about = {"recipe": {"data": {"set": str(keras_file)}}}
    inside.data_choice.follow(replace(window.session.weights, about=about))
    assert inside.data_choice.value() == str(keras_file)


def test_a_table_of_digits_is_offered_from_the_dialog_of_weights_too(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    """And the offer may be declined."""
    path = tmp_path / "train.csv"
    path.write_text(csv_text(mnist().training[:20]))
    window.networks.open(path)
    answer(qtbot, window, "Cancel")
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.data.set == "mnist"


def test_a_pickled_data_set_is_trained_on(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """It is read in a thread to be told from weights, which are pickled likewise; it may be larger than those may."""
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


def test_of_a_data_set_and_weights_the_later_counts(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """What is still read when something else is opened is not offered any more."""
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
    """A pipe that says something to whoever opens it, so that nobody waits in vain, and in a list that it did."""
    os.mkfifo(path)
    said: list[str] = []
    over = threading.Event()

    def feed() -> None:
        while not over.wait(0.01):
            with suppress(OSError):  # nobody has opened it
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                said.append("something")
                os.write(pipe, b"something\n")
                os.close(pipe)

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        yield said
    finally:
        over.set()
        feeding.join()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["pipe", "pipe.png", "pipe.jsonl", "pipe.npz"])
def test_nothing_is_read_from_a_pipe(qtbot: QtBot, window: Window, tmp_path: Path, name: str) -> None:
    """The window would wait for what may never come."""
    pipe = tmp_path / name
    with fed_pipe(pipe) as said:
        problem = problem_of(qtbot, window, lambda: drop(window, file_mime(pipe)))
    assert "neither a file nor a folder" in problem
    assert said == []


def test_names_do_not_tell_a_picture_from_weights(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """A picture without an ending comes on the pad, and other files without one are looked at as weights."""
    digit_image(7).save(str(tmp_path / "seven.png"))
    (tmp_path / "seven.png").rename(tmp_path / "seven")
    window.clipboard.open_any(tmp_path / "seven")
    qtbot.waitUntil(lambda: reads(window, 7))
    (tmp_path / "weights").write_bytes(b"\x80\x04N.")
    assert "without arrays" in problem_of(qtbot, window, lambda: window.clipboard.open_any(tmp_path / "weights"))
