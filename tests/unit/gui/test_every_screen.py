"""Tests of every tab and dialog: accessible roles and names, and no text that is cut off."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.data.data_dialog import DataDialog
from digitpad.gui.data.download_dialog import DownloadDialog
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.evaluate.evaluate_tab import EvaluateTab
from digitpad.gui.help.help_window import HelpWindow
from digitpad.gui.importing.classes_dialog import ClassesDialog
from digitpad.gui.importing.opening_dialog import OpeningDialog
from digitpad.gui.my_digits.import_dialog import ImportDialog
from digitpad.gui.my_digits.my_digits_tab import MyDigitsTab
from digitpad.gui.my_digits.sheet_dialog import SheetDialog
from digitpad.gui.pictures.picture_dialog import PictureDialog
from digitpad.gui.shell.about_dialog import AboutDialog
from digitpad.gui.shell.preferences_dialog import PreferencesDialog
from digitpad.gui.shell.window import Window
from digitpad.gui.train.augmentation_dialog import AugmentationDialog
from digitpad.gui.train.recipe_dialog import RecipeDialog
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.teaching.lesson import LESSONS
from tests.unit.datasets.idx_files import write_folder
from tests.unit.gui.geometry import clipped_texts
from tests.unit.gui.hand import DRAW, EVALUATE, INSIDE, MY_DIGITS, TRAIN, draw, find, placed
from tests.unit.gui.my_digits.own_drawings import drawing

Role = QAccessible.Role
NO_ROLE = (Role.NoRole, Role.Client, Role.Whitespace)
SIZES = [(960, 640), (1024, 700), (1366, 768), (1920, 1080)]


@pytest.fixture
def busy_window(window: Window, qtbot: QtBot, tmp_path: Path) -> Window:
    """Return the window with 47 on the pad, all training settings shown, and a finished evaluation."""
    pad = window.page(DrawTab).pad
    scale = pad.width() / 500
    for digit, x in ((4, 80), (7, 260)):
        draw(pad, placed(digit, x * scale, 150 * scale, 150 * scale))
    qtbot.waitUntil(lambda: window.session.reading is not None and window.session.reading.text == "47")
    window.show_page(TRAIN)
    window.page(TrainTab).form.show_more(True)
    window.show_page(EVALUATE)
    evaluate = window.page(EvaluateTab)
    few = mnist()
    evaluate.data_choice.set_value(str(write_folder(tmp_path / "few", few.training[:900], few.test[:200])))
    evaluate.evaluate_or_stop()
    qtbot.waitUntil(lambda: not evaluate.busy)
    window.show_page(MY_DIGITS)
    own = window.page(MyDigitsTab)
    window.session.corrections.add([drawing(7, writer="Ada"), drawing(3, 7, "Bo")], "Import")
    qtbot.waitUntil(lambda: own.drawings.digits_table.groups[0].score is not None)
    window.show_page(INSIDE)
    return window


def screens(window: Window) -> Iterator[str]:
    """Show each tab and each of its pages in turn; yield a name."""
    evaluate = None
    for page in (DRAW, TRAIN, EVALUATE, INSIDE, MY_DIGITS):
        window.show_page(page)
        if page == EVALUATE:
            evaluate = window.page(EvaluateTab)
            for place in range(4):
                evaluate.pages_choice.choose(place)
                yield f"Evaluate, page {place}"
        elif page == MY_DIGITS:
            for place in range(3):
                window.page(MyDigitsTab).views.choose(place)
                yield f"My digits, view {place}"
        elif page == DRAW:
            for wide in (True, False):
                window.session.set_wide_pad(wide)
                yield f"Draw, {'wide' if wide else 'square'} pad"
        else:
            yield window.pages[page].title


def beside(window: Window) -> Iterator[QWidget]:
    """Show the windows and panels that stand beside the tabs, in turn."""
    companions = window.companions
    companions.show_runs()
    yield companions.runs_window
    companions.show_help("train.md")
    yield find(window, HelpWindow)
    window.show_page(DRAW)
    companions.toggle_history()
    companions.toggle_comparison()
    yield window
    companions.toggle_history()
    companions.toggle_comparison()
    for lesson in sorted(LESSONS.glob("*.md")):
        companions.start_lesson(lesson)
        yield window


def dialogs(window: Window) -> list[QDialog]:
    """Return the dialogs that can be opened without a file."""
    session = window.session
    return [
        AboutDialog(session, window),
        PreferencesDialog(session, FileDialogs(session.preferences, window), window),
        AugmentationDialog(session.theme, window),
        RecipeDialog("dense", "", lambda name: False, lambda name: "", window),
        DownloadDialog(window),
        DataDialog(session.theme, window),
        ClassesDialog("letters.npz", 26, window),
        ImportDialog(session.theme, [], (), window),
        SheetDialog(session.theme, session.weights, [], window),
        PictureDialog(session, np.full((400, 300, 4), 255, np.uint8), "note.png", window),
        OpeningDialog("weights.h5", window),
    ]


def test_every_control_has_a_role_and_a_name(busy_window: Window, qtbot: QtBot) -> None:
    """Each widget that is focusable or paints itself has a role and a name, on every tab and in every dialog."""
    found: list[str] = []
    for screen in screens(busy_window):
        found += [f"{screen}: {problem}" for problem in nameless(busy_window)]
    for other in beside(busy_window):
        QApplication.processEvents()
        found += [f"{other.windowTitle()}: {problem}" for problem in nameless(other)]
    for dialog in dialogs(busy_window):
        dialog.show()
        found += [f"{dialog.windowTitle()}: {problem}" for problem in nameless(dialog)]
        dialog.close()
    busy_window.companions.runs_window.close()
    assert not found, "\n".join(sorted(set(found)))


def nameless(window: QWidget) -> list[str]:
    """Return the focusable or self-painted widgets without a role or a name."""
    problems = []
    for widget in window.findChildren(QWidget):
        paints = any(
            "paintEvent" in vars(kind) and kind.__module__.startswith("digitpad.") for kind in type(widget).mro()
        )
        interface = QAccessible.queryAccessibleInterface(widget)
        if widget.isVisible() and (paints or interface.state().focusable) and not is_part(widget):
            if interface.role() in NO_ROLE:
                problems.append(f"{type(widget).__name__} {widget.objectName()} has no role")
            elif not interface.text(QAccessible.Text.Name) and not isinstance(widget, QLabel):
                problems.append(f"{type(widget).__name__} {widget.objectName()} has no name")
    return problems


def is_part(widget: QWidget) -> bool:
    """Return whether a widget is part of a named widget, such as the text field of a number field."""
    return widget.objectName().startswith("qt_")


@pytest.mark.parametrize("percent", [100, 150])
def test_no_text_is_cut_off(busy_window: Window, qtbot: QtBot, percent: int) -> None:
    """On every tab at four sizes, each label, button and list shows its whole text, or has it in its tooltip."""
    busy_window.session.set_text_size(percent)
    found: list[str] = []
    for width, height in SIZES:
        busy_window.resize(width, height)
        for screen in screens(busy_window):
            QApplication.processEvents()
            found += [f"{screen} at {width} × {height}: {problem}" for problem in clipped_texts(busy_window)]
    for dialog in dialogs(busy_window):
        dialog.show()
        QApplication.processEvents()
        found += [f"{dialog.windowTitle()}: {problem}" for problem in clipped_texts(dialog)]
        dialog.close()
    for other in beside(busy_window):
        QApplication.processEvents()
        found += [f"{other.windowTitle()} with panels: {problem}" for problem in clipped_texts(other)]
    busy_window.companions.runs_window.close()
    assert not found, "\n".join(found)
