import itertools
import string
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QProgressDialog, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.data.dataset_choice import DatasetChoice
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.evaluate.weights_choice import IN_USE
from digitpad.gui.importing import network_import, opening_dialog
from digitpad.gui.importing.classes_dialog import ClassesDialog
from digitpad.gui.importing.convention_dialog import ConventionDialog
from digitpad.gui.shell.window import Window
from digitpad.gui.tasks.task import report
from digitpad.importers.read_file import read_tensor_tree
from tests.integration.test_window import drop, file_mime, problem_of, status
from tests.unit.datasets.idx_files import write_folder
from tests.unit.datasets.set_files import write_images
from tests.unit.gui.hand import EVALUATE, find
from tests.unit.importers.strangers import Trained, numbered, save_npz, save_pickle, train


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train([784, 12, 10], "tanh")


@pytest.fixture
def theirs(trained: Trained, tmp_path: Path) -> Path:
    return save_npz(tmp_path / "theirs.npz", numbered(trained, "W{}", "b{}", out_in=True))


def dialog_of(qtbot: QtBot, window: Window, path: Path) -> ConventionDialog:
    drop(window, file_mime(path))
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is not None, timeout=60_000)
    return find(window, ConventionDialog, "convention_dialog")


def accept(qtbot: QtBot, window: Window) -> None:
    find(window, QPushButton, "convention_use").click()
    gone(qtbot, window)


def dismiss(qtbot: QtBot, window: Window) -> None:
    find(window, QPushButton, "convention_cancel").click()
    gone(qtbot, window)


def gone(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is None)


def activation_in(table: QTableWidget, row: int) -> str:
    item = table.item(row, 1)
    assert item is not None
    return item.text()


def test_import_dialog_shows_tested_options(qtbot: QtBot, window: Window, theirs: Path) -> None:
    """The dialog lists the tested options with the best one selected; after confirmation, the network is used."""
    before = window.session.weights
    dialog = dialog_of(qtbot, window, theirs)
    assert "784-12-10" in find(dialog, QLabel, "convention_title").text()
    table = find(dialog, QTableWidget, "conventions")
    assert activation_in(table, table.currentRow()) == "Tanh"
    assert window.session.weights is before
    accept(qtbot, window)
    assert window.session.weights.about["convention"]["activation"] == "tanh"
    assert status(window).startswith("theirs.npz · ")
    assert "validation digits" in status(window)
    assert window.session.preferences.recent_networks == [str(theirs)]


def test_selected_option_is_kept(qtbot: QtBot, window: Window, theirs: Path) -> None:
    """Another option can be selected; it is reused without asking, and the menu opens the dialog again."""
    dialog = dialog_of(qtbot, window, theirs)
    table = find(dialog, QTableWidget, "conventions")
    other = next(row for row in range(table.rowCount()) if activation_in(table, row) == "ReLU")
    table.selectRow(other)
    assert "Your choice" in find(dialog, QLabel, "convention_note").text()
    accept(qtbot, window)
    assert window.session.weights.about["convention"]["activation"] == "relu"
    first = window.session.weights
    with qtbot.waitSignal(window.session.network_changed, timeout=60_000):
        window.networks.open(theirs)
    assert window.findChild(ConventionDialog) is None
    assert window.session.weights is not first
    assert window.session.weights.about["convention"] == first.about["convention"]
    window.networks.importer.ask_again()
    dialog = find(window, ConventionDialog, "convention_dialog")
    assert dialog.candidate.convention.activation == "relu"
    dismiss(qtbot, window)
    assert window.session.weights.about["convention"]["activation"] == "relu"


def test_untrained_network_is_reported(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """For an untrained network, the dialog says that no option reads well."""
    rng = np.random.default_rng(1)
    path = save_pickle(tmp_path / "untrained.pkl", [rng.normal(size=(784, 8)), rng.normal(size=(8, 10))])
    dialog = dialog_of(qtbot, window, path)
    assert find(dialog, QLabel, "convention_note").text().startswith("No option reads well")
    dismiss(qtbot, window)


def test_incomplete_network_is_reported(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """If a file does not contain a network, an error is shown and the network in use stays."""
    before = window.session.weights
    path = save_pickle(tmp_path / "half.pkl", [np.ones((784, 300))])
    message = problem_of(qtbot, window, lambda: window.networks.open(path))
    assert "is not complete" in message
    assert window.session.weights is before


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Return the file of a network with 26 outputs and without class names."""
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape) for shape in ((784, 8), (8,), (8, 26), (26,))]
    return save_pickle(tmp_path / "letters.pkl", arrays)


def test_class_names_are_asked_for_and_kept(qtbot: QtBot, window: Window, letters: Path) -> None:
    """Names for all outputs open the file without a test, and are reused the next time."""
    window.networks.open(letters)
    qtbot.waitUntil(lambda: window.findChild(ClassesDialog) is not None)
    dialog = find(window, ClassesDialog)
    names, use = find(dialog, QLineEdit, "class_names"), find(dialog, QPushButton, "class_open")
    assert "letters.pkl has 26 outputs" in find(dialog, QLabel, "class_title").text()
    assert names.text() == "A-Z"
    names.setText("a-y")
    assert not use.isEnabled()
    assert find(dialog, QLabel, "class_note").text() == "25 names; the network has 26 outputs."
    names.setText("a-z")
    assert "nothing can be tested" in find(dialog, QLabel, "class_note").text()
    use.click()
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is not None)
    dialog_2 = find(window, ConventionDialog)
    assert find(dialog_2, QLabel, "convention_note").text().startswith("Nothing could be tested")
    assert "a, b, c, … z (26 classes)" in find(dialog_2, QLabel, "convention_classes").text()
    accept(qtbot, window)
    assert window.session.weights.class_names == tuple(string.ascii_lowercase)
    assert status(window) == "letters.pkl"
    with qtbot.waitSignal(window.session.network_changed):
        window.networks.open(letters)
    assert window.session.weights.class_names == tuple(string.ascii_lowercase)


def test_ten_outputs_can_be_other_classes(qtbot: QtBot, window: Window, theirs: Path, tmp_path: Path) -> None:
    """A dataset of ten other classes provides the class names and the test images."""
    some = mnist().training[:400]
    data = write_images(tmp_path / "letters", some, "ABCDEFGHIJ")
    dialog = dialog_of(qtbot, window, theirs)
    find(dialog, QPushButton, "convention_other_classes").click()
    asked = find(window, ClassesDialog)
    find(asked, DatasetChoice, "class_data").set_value(str(data))
    assert not find(asked, QLineEdit, "class_names").isEnabled()
    find(asked, QPushButton, "class_open").click()
    qtbot.waitUntil(lambda: window.findChild(ClassesDialog) is None and window.findChild(ConventionDialog) is not None)
    accept(qtbot, window)
    assert window.session.weights.class_names == tuple("ABCDEFGHIJ")
    assert status(window).endswith("of 57 validation images of letters")


def test_wrong_number_of_classes_is_reported_and_not_kept(
    qtbot: QtBot, window: Window, letters: Path, tmp_path: Path
) -> None:
    """A dataset of ten classes is refused for 26 outputs, and the next time the names are asked for again."""
    data = write_images(tmp_path / "ten", mnist().training[:400], "ABCDEFGHIJ")
    for _ in range(2):
        window.networks.open(letters)
        qtbot.waitUntil(lambda: window.findChild(ClassesDialog) is not None)
        dialog = find(window, ClassesDialog)
        find(dialog, DatasetChoice, "class_data").set_value(str(data))
        message = problem_of(qtbot, window, find(dialog, QPushButton, "class_open").click)
        assert "26 outputs" in message
        assert "10 class names" in message or "expected 10" in message


def test_closing_ends_the_test_of_options(window: Window, theirs: Path) -> None:
    """Closing the window ends the test of the options and its thread."""
    window.networks.open(theirs)
    assert window.networks.importer.busy
    window.close()
    assert not window.networks.importer.busy


def test_weights_are_saved_in_other_formats(window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The selected file type sets the suffix, and the suffix sets the format."""

    def choose(dialog: QFileDialog) -> int:
        kind = next(kind for kind in dialog.nameFilters() if "safetensors" in kind)
        dialog.filterSelected.emit(kind)
        assert dialog.defaultSuffix() == "safetensors"
        dialog.selectFile(str(tmp_path / "mine.safetensors"))
        return 1

    monkeypatch.setattr(QFileDialog, "exec", choose)
    window.networks.save(window.session.weights)
    assert {"W1", "b5"} < read_tensor_tree(tmp_path / "mine.safetensors").arrays.keys()
    assert window.session.preferences.recent_networks == []


def test_import_options_belong_to_the_network_in_use(window: Window, qtbot: QtBot, theirs: Path) -> None:
    """After a change of the network in use, import options can't be opened for the previous network."""
    dialog_of(qtbot, window, theirs)
    accept(qtbot, window)
    assert window.networks.importer.can_ask_again
    window.networks.use_built_in()
    assert not window.networks.importer.can_ask_again


def evaluate(qtbot: QtBot, window: Window, path: Path, data: Path) -> None:
    """Evaluate a file and compare it with the network in use."""
    window.show_page(EVALUATE)
    tab = window.page(EvaluateTab)
    tab.data_choice.set_value(str(data))
    tab.weights_choice.choose_file(path)
    tab.other_choice.setCurrentIndex(tab.other_choice.findData(IN_USE))
    tab.evaluate_or_stop()
    qtbot.waitUntil(lambda: not tab.busy)


def test_evaluate_uses_the_selected_import_option(qtbot: QtBot, window: Window, theirs: Path, tmp_path: Path) -> None:
    """The Evaluate tab opens a file with the option that was selected in the import dialog."""
    dialog = dialog_of(qtbot, window, theirs)
    table = find(dialog, QTableWidget, "conventions")
    table.selectRow(next(row for row in range(table.rowCount()) if activation_in(table, row) != "tanh"))
    accept(qtbot, window)
    data = write_folder(tmp_path / "some", mnist().training[:900], mnist().test[:200])
    evaluate(qtbot, window, theirs, data)
    outcome = window.page(EvaluateTab).outcome
    assert outcome is not None
    first, in_use = (made.weights for made in outcome.assessments)
    assert in_use is window.session.weights
    assert first.about["convention"] == in_use.about["convention"]
    np.testing.assert_array_equal(first.parameters, in_use.parameters)


def test_evaluate_uses_the_given_class_names(qtbot: QtBot, window: Window, letters: Path, tmp_path: Path) -> None:
    """Without class names, Evaluate reports an error; names given in the import dialog are used."""
    some = mnist().training[:400]
    data = write_images(tmp_path / "ten", some, "ABCDEFGHIJ")
    message = problem_of(qtbot, window, lambda: evaluate(qtbot, window, letters, data))
    assert "26 outputs" in message
    assert "File › Open network… asks for the classes of its outputs" in message
    assert "--" not in message
    window.networks.open(letters)
    qtbot.waitUntil(lambda: window.findChild(ClassesDialog) is not None)
    find(find(window, ClassesDialog), QPushButton, "class_open").click()
    qtbot.waitUntil(lambda: window.findChild(ConventionDialog) is not None)
    accept(qtbot, window)
    evaluate(qtbot, window, letters, data)
    outcome = window.page(EvaluateTab).outcome
    assert outcome is not None
    assert outcome.assessments[0].weights.class_names == tuple(string.ascii_uppercase)


def test_network_folder_may_contain_images(qtbot: QtBot, window: Window, trained: Trained, tmp_path: Path) -> None:
    """Plots beside the matrices of a network do not make its folder a dataset."""
    folder = write_images(tmp_path / "mine", mnist().test[:4], ["plots", "samples"] * 5)
    for name, array in numbered(trained, "W{}", "b{}").items():
        np.save(folder / f"{name}.npy", array)
    dialog_of(qtbot, window, folder)
    accept(qtbot, window)
    assert window.session.weights.network().summary() == "784-12-10"


def test_selecting_another_network_cancels_an_import(window: Window, theirs: Path) -> None:
    """Selecting another network cancels the import of a file."""
    window.networks.open(theirs)
    assert window.networks.importer.busy
    window.networks.use_built_in()
    assert not window.networks.importer.busy
    assert find(window, QLabel, "message").accessibleName() == ""


def test_a_slow_import_can_be_cancelled(
    qtbot: QtBot, window: Window, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dialog appears after a second; its "Cancel" button ends the import, and the network in use stays."""

    def endless(path: Path, classes: object) -> None:
        for n in itertools.count(1):
            report(n)
            time.sleep(0.01)

    monkeypatch.setattr(network_import, "import_network", endless)
    monkeypatch.setattr(opening_dialog, "_DELAY_MS", 20)
    before = window.session.weights
    window.networks.open(theirs)
    qtbot.waitUntil(lambda: any(dialog.isVisible() for dialog in window.findChildren(QProgressDialog)))
    (dialog,) = window.findChildren(QProgressDialog)
    qtbot.waitUntil(lambda: "options tested" in dialog.labelText())
    dialog.findChildren(QPushButton)[0].click()
    assert not window.networks.importer.busy
    assert window.session.weights is before
    assert find(window, QLabel, "message").accessibleName() == ""
    qtbot.waitUntil(lambda: not window.findChildren(QProgressDialog))
