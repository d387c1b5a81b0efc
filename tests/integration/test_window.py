import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox, QPushButton, QTabBar
from pytestqt.qtbot import QtBot

from digitpad.errors import InkError
from digitpad.gui.canvas.qt_images import from_grey, inked, picture_of, save_picture, to_rgba
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.pages import PAGES
from digitpad.gui.preferences import Preferences
from digitpad.gui.session import Session, TrainingState
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.train.training_task import TrainingOutcome
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.gui.widgets.theme import Mode, Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from digitpad.plotting.palette import DARK, LIGHT
from digitpad.runs.run import RunStatus, all_runs
from digitpad.training.recipe_library import Recipes
from digitpad.weights.native_format import Weights, load_weights
from tests.unit.gui.hand import DRAW, TRAIN, draw, find, placed

_DRAG = Qt.DropAction.CopyAction
_HOW = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def can_drop(window: Window, mime: QMimeData) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Qt 6.12 wants a QPointF here, which 6.11 does not take
        entering = QDragEnterEvent(QPoint(50, 50), _DRAG, mime, *_HOW)
    QApplication.sendEvent(window, entering)
    return entering.isAccepted()


def drop(window: Window, mime: QMimeData) -> None:
    assert can_drop(window, mime)
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), _DRAG, mime, *_HOW))


def file_mime(path: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    return mime


def problem_of(qtbot: QtBot, window: Window, act: Callable[[], None]) -> str:
    """Return the text of the error dialog that ``act`` opens."""
    act()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "problem") is not None)
    box = find(window, QMessageBox, "problem")
    text = f"{box.text()} {box.informativeText()}"
    with qtbot.waitSignal(box.destroyed):
        box.close()
    return text


def status(window: Window) -> str:
    return find(window, QLabel, "weights_in_use").accessibleName()


def digit_image(digit: int) -> QImage:
    """Return an image of a digit, black on white."""
    return picture_of(Drawing(tuple(Stroke(np.array(path)) for path in placed(digit, 100, 100, 280))))


def test_status_bar_shows_the_network_in_use(window: Window) -> None:
    """The status bar shows the network's file name and test accuracy."""
    assert status(window).startswith("digits.npz · 99.")
    assert "MNIST test set" in status(window)


def test_dropped_weights_are_used_and_remembered(window: Window, shipped: Weights, tmp_path: Path) -> None:
    """A network file dropped on the window is opened and added to the recent files."""
    path = tmp_path / "mine.npz"
    shipped.save(path)
    drop(window, file_mime(path))
    assert status(window).startswith("mine.npz")
    assert window.session.preferences.recent_networks == [str(path)]


def test_bad_file_keeps_the_network_in_use(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """The error names the file and the problem, and the network in use stays."""
    path = tmp_path / "bad.npz"
    path.write_bytes(b"not weights")
    before = window.session.weights
    message = problem_of(qtbot, window, lambda: window.networks.open(path))
    assert "bad.npz" in message
    assert "unknown file type; supported: .npz" in message
    assert window.session.weights is before


def test_weights_are_saved_and_loaded_again(window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A saved network has the same parameters when it is opened again."""
    target = tmp_path / "saved.npz"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda self: [str(target)])
    window.networks.save(window.session.weights)
    np.testing.assert_array_equal(load_weights(target).parameters, window.session.weights.parameters)
    window.networks.open(target)
    assert status(window).startswith("saved.npz")


def test_theme_is_kept_after_a_restart(window: Window, theme: Theme) -> None:
    """The dark theme is kept for the next session."""
    window.session.set_theme(Mode.DARK)
    assert theme.tokens is DARK
    assert window.session.preferences.reopened().theme is Mode.DARK
    window.session.set_theme(Mode.LIGHT)
    assert theme.tokens is LIGHT


def test_text_has_enough_contrast() -> None:
    """Text has a contrast of 4.4 or more on each of its backgrounds."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for tokens in (LIGHT, DARK):
        pairs = [(text, ground) for text in (tokens.text, tokens.soft) for ground in (tokens.card, tokens.ground)]
        pairs += [(tokens.bad, tokens.card), (tokens.on_accent, tokens.accent), (tokens.accent, tokens.accent_ground)]
        for text, ground in pairs:
            light, dark = sorted((luminance(text), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.4, (text, ground)


def test_rgba_survives_padded_rows() -> None:
    """The padding of image rows in memory is not returned as pixels."""
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7)
    np.testing.assert_array_equal(to_rgba(from_grey(pixels))[..., 0], pixels)


def answer_closing(window: Window, button_text: str) -> None:
    """Press a button of the dialog that closing opens."""

    def press() -> None:
        box = find(window, QMessageBox, "question")
        next(button for button in box.buttons() if button.text() == button_text).click()

    QTimer.singleShot(50, press)


@pytest.fixture
def long_training(qtbot: QtBot, window: Window, recipes: Recipes) -> Window:
    """Start a training run of 1,000 epochs and return its window."""
    window.show_page(TRAIN)
    window.page(TrainTab).form.set_recipe(
        recipes.shipped["quick"].with_values({"training.epochs": 1000, "network.hidden": [16]})
    )
    window.page(TrainTab).train()
    qtbot.waitUntil(lambda: any(run.summary().epoch >= 1 for run in all_runs()), timeout=30_000)
    return window


def test_closing_during_training_can_be_cancelled(long_training: Window) -> None:
    """After "Keep training", the window stays open and training continues."""
    answer_closing(long_training, "Keep training")
    assert not long_training.close()
    assert long_training.page(TrainTab).state is TrainingState.RUNNING


def test_closing_during_training_pauses_and_saves(long_training: Window, tmp_path: Path) -> None:
    """After "Pause and close", the thread ends and the best weights are saved in a run that can be resumed."""
    answer_closing(long_training, "Pause and close")
    assert long_training.close()
    assert "training" not in [thread.name for thread in threading.enumerate()]
    (run,) = all_runs()
    assert run.summary().status is RunStatus.PAUSED
    assert load_weights(run.weights_path).about["validation_accuracy"] > 0.5


def test_window_settings_are_restored(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """The window size and the theme are restored from the last session."""
    settings = QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat)
    first = Window(Session(theme, shipped, Preferences(settings)))
    qtbot.addWidget(first)
    first.resize(960, 700)
    first.session.set_theme(Mode.DARK)
    first.close()
    theme.set_mode(Mode.LIGHT)
    second = Window(Session(theme, shipped, Preferences(settings)))
    qtbot.addWidget(second)
    assert (second.width(), second.height()) == (960, 700)
    assert theme.tokens is DARK
    theme.set_mode(Mode.SYSTEM)


def test_damaged_settings_are_ignored(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """Invalid values in the settings file are ignored."""
    settings = QSettings(str(tmp_path / "odd.ini"), QSettings.Format.IniFormat)
    for key in ("geometry", "theme", "recent_weights", "folder"):
        settings.setValue(key, "nonsense")
    window = Window(Session(theme, shipped, Preferences(settings)))
    qtbot.addWidget(window)
    assert window.width() >= 960
    assert window.session.preferences.recent_networks == ["nonsense"]


def test_undo_keys_on_another_tab_do_not_change_the_drawing(qtbot: QtBot, window: Window) -> None:
    """Undo keys pressed on another tab do not change the drawing."""
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    window.show_page(TRAIN)
    control = Qt.KeyboardModifier.ControlModifier
    for key in (Qt.Key.Key_Z, Qt.Key.Key_Backspace):
        qtbot.keyClick(window, key, control)
    assert not window.page(DrawTab).pad.drawing.is_empty
    window.show_page(DRAW)
    qtbot.keyClick(window, Qt.Key.Key_Z, control)
    assert window.page(DrawTab).pad.drawing.is_empty


def test_failed_image_export_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If an image cannot be written, an error is raised and the old file stays."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "digit.png"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InkError, match="No space left"):
        save_picture(Drawing(), path)
    assert path.read_bytes() == b"old"


def test_grey_levels_map_to_any_two_colours() -> None:
    """0 gets the paper colour, 255 the ink colour, and values between are interpolated."""
    pixels = np.array([[0, 128, 255]], np.uint8)
    colours = to_rgba(inked(pixels, QColor(200, 100, 0), QColor(0, 0, 100)))[0, :, :3]
    assert colours.tolist() == [[200, 100, 0], [100, 50, 50], [0, 0, 100]]


def test_closing_asks_again_if_nothing_could_be_saved(
    qtbot: QtBot, long_training: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nothing can be saved, closing asks again; after Stay, the network can be saved elsewhere."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for module in ("weights.native_format", "runs.checkpoint", "runs.run"):
        monkeypatch.setattr(f"digitpad.{module}.write_atomically", full)
    monkeypatch.setattr(long_training, "_may_stop_training", lambda: True)
    answer_closing(long_training, "Stay")
    assert not long_training.close()
    assert long_training.page(TrainTab).outcome is not None
    assert find(long_training, QPushButton, "save_button").isEnabled()


def test_unsaved_network_is_not_discarded_without_asking(
    window: Window, recipes: Recipes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A trained network that was not saved is kept until the user agrees, on closing and on a new training run."""
    tab, weights = window.page(TrainTab), replace(window.session.weights, name="trained.npz")
    tab.form.set_recipe(recipes.shipped["quick"])
    tab.outcome = TrainingOutcome(weights, None, None)
    window.session.set_trained(weights, None)
    answer_closing(window, "Stay")
    assert not window.close()
    answer_closing(window, "Keep it")
    tab.train()
    assert (tab.state, tab.outcome.weights) == (TrainingState.IDLE, weights)
    monkeypatch.setattr(FileDialogs, "to_save", lambda *_: tmp_path / "saved.npz")
    window.networks.save(window.session.weights)
    assert window.session.has_unsaved_training
    window.networks.save(weights)
    assert not window.session.has_unsaved_training
    assert window.close()


def test_tabs_do_not_move_when_selected(qtbot: QtBot, window: Window) -> None:
    """The positions of tabs do not depend on the selected tab, whose title is bold."""
    places = []
    for index in range(len(PAGES)):
        window.show_page(index)
        tabs = find(window, QTabBar, "tab_bar")
        tabs.repaint()
        places.append([tabs.tabRect(each) for each in range(len(PAGES))])
    assert all(place == places[0] for place in places)
