from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QListWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.qt_images import from_grey
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.ink.strokes import LabelledStrokes, write_strokes
from tests.integration.test_window import can_drop, digit_image, drop, file_mime, problem_of
from tests.unit.gui.hand import draw, find, placed, reads


def test_copy_and_paste_keep_the_digit(qtbot: QtBot, window: Window) -> None:
    """A copied digit has the same prediction after pasting, and pasting can be undone."""
    pad = window.page(DrawTab).pad
    draw(pad, placed(4, 100, 100, 250))
    before = pad.drawing
    window.clipboard.copy()
    pad.clear()
    window.clipboard.paste()
    assert pad.drawing.image is not None
    qtbot.waitUntil(lambda: reads(window, 4))
    pad.undo_stack.undo()
    pad.undo_stack.undo()
    assert pad.drawing is before


def test_pasting_text_changes_nothing(window: Window) -> None:
    """Text on the clipboard is not accepted as a drawing."""
    QGuiApplication.clipboard().setText("7")
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    before = window.page(DrawTab).pad.drawing
    window.clipboard.paste()
    assert window.page(DrawTab).pad.drawing is before


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp"])
def test_a_dropped_image_is_read(qtbot: QtBot, window: Window, tmp_path: Path, suffix: str) -> None:
    """A dropped image file of any common format is put on the pad."""
    path = tmp_path / f"seven.{suffix}"
    assert digit_image(7).save(str(path))
    drop(window, file_mime(path))
    qtbot.waitUntil(lambda: reads(window, 7))


def test_dropped_pixels_are_read(qtbot: QtBot, window: Window) -> None:
    """Dropped pixels without a file, as from a browser, are put on the pad."""
    mime = QMimeData()
    mime.setImageData(digit_image(4))
    drop(window, mime)
    qtbot.waitUntil(lambda: reads(window, 4))


def test_blank_image_keeps_the_drawing(window: Window, tmp_path: Path) -> None:
    """A blank image gives a message and keeps the drawing."""
    path = tmp_path / "blank.png"
    from_grey(np.full((50, 50), 255, np.uint8)).save(str(path))
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    before = window.page(DrawTab).pad.drawing
    window.clipboard.open(path)
    assert window.page(DrawTab).pad.drawing is before
    assert "No drawing found" in find(window, QLabel, "message").accessibleName()


def test_invalid_image_is_reported(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """The error for an invalid image names the file."""
    path = tmp_path / "letter.png"
    path.write_text("dear reader")
    assert "letter.png" in problem_of(qtbot, window, lambda: window.clipboard.open(path))


def test_strokes_are_saved_and_opened_again(window: Window, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Saved strokes have the same points when they are opened again, within rounding to 0.01 px."""
    target = tmp_path / "mine.jsonl"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda self: [str(target)])
    pad = window.page(DrawTab).pad
    draw(pad, placed(3, 50, 50, 300))
    before = pad.drawing.strokes
    window.clipboard.save_strokes()
    pad.clear()
    window.clipboard.open_any(target)
    for stroke, original in zip(pad.drawing.strokes, before, strict=True):
        np.testing.assert_allclose(stroke.points, original.points, atol=0.005)


def test_strokes_of_another_device_are_scaled(window: Window, tmp_path: Path) -> None:
    """Strokes in the units of another device are scaled and centred on the pad."""
    path = tmp_path / "tablet.jsonl"
    path.write_text('{"strokes": [[[9000, -500], [9100, 800]]]}\n')
    window.clipboard.open_any(path)
    points = window.page(DrawTab).pad.drawing.strokes[0].points
    assert points.min() >= 0
    assert points.max() <= 480
    np.testing.assert_allclose((points.min(axis=0) + points.max(axis=0)) / 2, 240)


def test_clipboard_without_data_is_reported(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clipboard without any data, as after its owner has ended, gives a message."""
    monkeypatch.setattr(QGuiApplication, "clipboard", lambda: SimpleNamespace(mimeData=lambda: None))
    window.clipboard.paste()
    assert find(window, QLabel, "message").accessibleName() == "There is no image on the clipboard"


def test_dropped_link_is_refused(window: Window) -> None:
    """A dragged link is refused at once, because nothing is downloaded."""
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/seven.png")])
    assert not can_drop(window, mime)


def test_a_file_of_several_drawings_offers_a_choice(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    """A file of several drawings opens a list of their labels, and the selected drawing goes on the pad."""
    path = tmp_path / "digits.jsonl"
    lines = [LabelledStrokes([np.array(stroke) for stroke in placed(n, 100, 100, 250)], n) for n in (7, 4, 1)]
    write_strokes(path, lines)
    drop(window, file_mime(path))
    dialog = find(window, QDialog, "choose_drawing")
    items = find(dialog, QListWidget)
    assert [items.item(row).text() for row in range(items.count())] == ["7", "4", "1"]
    items.setCurrentRow(1)
    dialog.accept()
    qtbot.waitUntil(lambda: reads(window, 4))


def test_number_of_unopened_files_is_shown(window: Window, tmp_path: Path) -> None:
    """The status bar says how many of the dropped files were not opened."""
    paths = [tmp_path / f"{n}.png" for n in (7, 4, 1)]
    for path, digit in zip(paths, (7, 4, 1), strict=True):
        assert digit_image(digit).save(str(path))
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    drop(window, mime)
    assert window.session.message == "Opened 7.png; one file at a time, so 2 other files were not opened"


def test_saved_file_is_named_in_the_status_bar(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The status bar names the file and its folder."""
    path = tmp_path / "seven.png"
    monkeypatch.setattr(QFileDialog, "exec", lambda self: 1)
    monkeypatch.setattr(QFileDialog, "selectedFiles", lambda self: [str(path)])
    draw(window.page(DrawTab).pad, placed(7, 100, 100, 250))
    window.clipboard.save_picture()
    assert path.exists()
    assert window.session.message == f"Saved seven.png in {tmp_path}"


def test_a_pasted_recipe_fills_the_form(window: Window) -> None:
    """A pasted recipe is applied to the form; for any other text the message says that it is not a recipe."""
    QGuiApplication.clipboard().setText('name = "mine"\n[training]\nepochs = 7\n')
    window.clipboard.paste()
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.training.epochs == 7
    QGuiApplication.clipboard().setText("Dear Sir")
    window.clipboard.paste()
    assert "not a recipe" in window.session.message


def test_a_dropped_recipe_fills_the_form(window: Window, tmp_path: Path) -> None:
    """A dropped recipe is applied to the form, and is not opened as a network."""
    path = tmp_path / "short.toml"
    path.write_text("[training]\nepochs = 3\n")
    drop(window, file_mime(path))
    recipe = window.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.training.epochs == 3
