"""Tests of opened pictures: the dialog with the digits found, and the crop."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QRect, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.qt_images import picture_of
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.pictures import picture_opener
from digitpad.gui.pictures.picture_dialog import PictureDialog
from digitpad.gui.pictures.picture_view import PictureView
from digitpad.gui.shell.window import Window
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import Stroke
from tests.integration.test_window import drop, file_mime
from tests.unit.gui.hand import draw, find, menu_action, placed


def page(*lines: str) -> QImage:
    """Return an image of numbers below each other, in black on white, each line 200 px high."""
    image = QImage(480, 200 * len(lines), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    for row, line in enumerate(lines):
        strokes = [
            Stroke(np.array(path), 12) for i, d in enumerate(line) for path in placed(int(d), 50 + 130 * i, 50, 100)
        ]
        painter.drawImage(0, 200 * row, picture_of(Drawing(tuple(strokes))), 0, 0, 480, 200)
    painter.end()
    return image


@pytest.fixture
def dialog(window: Window, tmp_path: Path) -> PictureDialog:
    """Return the dialog for a dropped picture with 47 above 31."""
    path = tmp_path / "page.png"
    assert page("47", "31").save(str(path))
    drop(window, file_mime(path))
    return find(window, PictureDialog)


def answer(dialog: PictureDialog) -> str:
    return find(dialog, QLabel, "picture_answer").accessibleName()


def drag(qtbot: QtBot, view: PictureView, area: QRect) -> None:
    """Drag over an area of the picture."""
    rect = view.to_widget(QRectF(area)).toRect()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=rect.topLeft())
    qtbot.mouseMove(view, rect.center())
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=rect.bottomRight())


def test_several_digits_are_shown_before_they_are_used(qtbot: QtBot, window: Window, dialog: PictureDialog) -> None:
    """The dialog shows what was read; Use puts the ink on the pad, where it is read the same, and can be undone."""
    tab = window.page(DrawTab)
    assert tab.pad.is_empty
    assert dialog.windowTitle() == "page.png – digitpad"
    assert answer(dialog) == "Read as 47, 31"
    assert find(dialog, QLabel, "picture_details").text().startswith("4 digits in 2 lines")
    find(dialog, QPushButton, "use_picture").click()
    qtbot.waitUntil(lambda: find(tab, QLabel, "answer").text() == "47\n31")
    tab.pad.undo_stack.undo()
    assert tab.pad.is_empty


def test_found_ink_is_coloured(dialog: PictureDialog) -> None:
    """The ink is painted in another colour where the strokes are, and nowhere else."""
    image = dialog.view.grab().toImage()
    stroke = dialog.view.to_widget(QRectF(50 + 40, 50 + 55, 0, 0)).topLeft().toPoint()  # the bar of the 4
    paper = dialog.view.to_widget(QRectF(400, 100, 0, 0)).topLeft().toPoint()
    assert image.pixelColor(stroke).saturation() > 100
    assert image.pixelColor(paper).saturation() == 0


def test_a_dragged_crop_is_read_alone(qtbot: QtBot, window: Window, dialog: PictureDialog) -> None:
    """After dragging over the second line, only it is read and used; Whole picture goes back."""
    whole = find(dialog, QPushButton, "whole_picture")
    assert not whole.isEnabled()
    drag(qtbot, dialog.view, QRect(10, 210, 400, 180))
    assert not find(dialog, QPushButton, "use_picture").isEnabled()  # until it is read
    qtbot.waitUntil(lambda: answer(dialog) == "Read as 31")
    whole.click()
    qtbot.waitUntil(lambda: answer(dialog) == "Read as 47, 31")
    drag(qtbot, dialog.view, QRect(165, 20, 140, 170))
    qtbot.waitUntil(lambda: answer(dialog) == "Read as 7")
    find(dialog, QPushButton, "use_picture").click()
    qtbot.waitUntil(lambda: find(window.page(DrawTab), QLabel, "answer").text() == "7")


def test_crop_without_ink_cannot_be_used(qtbot: QtBot, dialog: PictureDialog) -> None:
    """A blank crop says so; a click alone changes no crop."""
    drag(qtbot, dialog.view, QRect(330, 20, 100, 100))
    qtbot.waitUntil(lambda: answer(dialog) == "No drawing found here")
    assert not find(dialog, QPushButton, "use_picture").isEnabled()
    crop = dialog.view.crop
    qtbot.mouseClick(dialog.view, Qt.MouseButton.LeftButton)
    assert dialog.view.crop == crop
    dialog.reject()


def test_keys_change_the_crop(qtbot: QtBot, dialog: PictureDialog) -> None:
    """Shift and arrows make the crop smaller, arrows move it, and it never leaves the picture."""
    view = dialog.view
    for _ in range(10):
        qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert view.crop == QRect(0, 0, 480, 400 - 10 * 24)
    for _ in range(30):
        qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.crop == QRect(0, 240, 480, 160)
    qtbot.waitUntil(lambda: answer(dialog) == "Read as 31")


def test_picture_of_one_digit_can_be_cropped_later(qtbot: QtBot, window: Window) -> None:
    """One digit goes straight to the pad; File › Crop picture opens the dialog for it, and reads it."""
    action = menu_action(window, "Crop picture")
    assert not action.isEnabled()
    mime = QMimeData()
    mime.setImageData(page("7"))
    drop(window, mime)
    assert window.findChild(PictureDialog) is None
    assert not window.page(DrawTab).pad.is_empty
    assert action.isEnabled()
    action.trigger()
    dialog = find(window, PictureDialog)
    qtbot.waitUntil(lambda: answer(dialog) == "Read as 7")


def test_large_picture_is_read_in_the_background(
    qtbot: QtBot, window: Window, dialog: PictureDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A large picture keeps the pad until it is read."""
    dialog.reject()
    monkeypatch.setattr(picture_opener, "MAX_IMMEDIATE", 100)
    tab = window.page(DrawTab)
    draw(tab.pad, placed(4, 50, 50, 100))
    before = tab.pad.drawing
    path = tmp_path / "large.png"
    assert page("7").save(str(path))
    window.clipboard.open(path)
    assert tab.pad.drawing is before
    assert find(window, QLabel, "message").accessibleName() == "Reading large.png…"
    qtbot.waitUntil(lambda: tab.pad.drawing is not before)
    assert find(tab, QLabel, "answer").text() in ("4", "7")
    qtbot.waitUntil(lambda: find(tab, QLabel, "answer").text() == "7")
