"""Import with a check before anything is added, and export of what is shown."""

import csv
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.own_digits.store import DigitStore
from digitpad.datasets.own_digits.transfer import export_strokes, import_images, import_strokes
from digitpad.gui.my_digits.my_digits_tab import MyDigitsTab
from digitpad.gui.my_digits.sheet_dialog import RowStrip
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.file_dialogs import FileDialogs
from tests.unit.gui.hand import MY_DIGITS, find, mouse
from tests.unit.gui.my_digits.own_drawings import drawing
from tests.unit.recognition.test_sheet import photo_of


@pytest.fixture
def tab(qtbot: QtBot, window: Window) -> MyDigitsTab:
    """The tab, shown, without any drawing."""
    window.show_page(MY_DIGITS)
    qtbot.waitUntil(lambda: window.session.corrections.is_open)
    return window.page(MyDigitsTab)


def test_strokes_are_checked_before_they_are_added(qtbot: QtBot, tab: MyDigitsTab, tmp_path: Path) -> None:
    """They can be relabelled and left out, unnamed ones get a writer, and those that are there already are skipped."""
    drawings = [drawing(0), drawing(2, writer="Bo"), drawing(7), drawing(4)]
    export_strokes(drawings, tmp_path / "theirs.jsonl")
    DigitStore().add(drawings[:1])
    tab.transfer._session.corrections.refresh()
    dialog = tab.transfer.import_files([tmp_path / "theirs.jsonl", tmp_path / "missing.jsonl"])
    add = find(dialog, QPushButton, "add_drawings")
    assert not add.isEnabled()
    qtbot.waitUntil(add.isEnabled)
    message = find(dialog, QLabel, "import_message").text()
    assert "1 drawing is in My digits already" in message
    assert "missing.jsonl" in message
    dialog.writer.setText("Ada")
    dialog.grid.select({drawings[2].id})
    qtbot.keyClick(dialog.grid, Qt.Key.Key_1)
    dialog.grid.select({drawings[3].id})
    qtbot.keyClick(dialog.grid, Qt.Key.Key_Delete)
    assert add.text() == "Add 2 drawings"
    add.click()
    assert [(digit.label, digit.writer) for digit in DigitStore().digits] == [(0, ""), (2, "Bo"), (1, "Ada")]
    tab.transfer._session.corrections.edits.undo()
    assert len(DigitStore().digits) == 1


def test_photos_are_labelled_row_by_row(qtbot: QtBot, tab: MyDigitsTab, tmp_path: Path) -> None:
    """As read, by the number of the row, or as typed; wrong labels keep the button off."""
    Image.fromarray(photo_of([[0, 2, 7], [7, 4]])).save(tmp_path / "sheet.png")
    dialog = tab.transfer.import_photos([tmp_path / "sheet.png"])
    qtbot.waitUntil(lambda: len(dialog.fields) == 2)
    first, second = dialog.fields
    assert (first.text(), second.text()) == ("027", "74")
    dialog.labels_choice.setCurrentIndex(2)
    assert (first.text(), second.text()) == ("1", "2")
    second.setText("741")
    add = find(dialog, QPushButton, "add_drawings")
    assert not add.isEnabled()
    assert "3 labels for 2 drawings" in find(dialog, QLabel, "sheet_count").accessibleName()
    second.setText("9")
    mouse(find(dialog, RowStrip, "strip_0"), QEvent.Type.MouseButtonPress, (10, 10))
    assert first.text() == "-11"
    dialog.writer.setText("Bo")
    assert add.text() == "Add 4 drawings"
    add.click()
    assert [(digit.label, digit.writer) for digit in DigitStore().digits] == [
        (1, "Bo"), (1, "Bo"), (9, "Bo"), (9, "Bo")
    ]  # fmt: skip


def test_export_of_what_is_shown(
    qtbot: QtBot, tab: MyDigitsTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strokes, images by digit and CSV hold the drawings that the filters leave."""
    corrections = tab.transfer._session.corrections
    corrections.add([drawing(0, writer="Ada"), drawing(7, writer="Ada"), drawing(4, writer="Bo")], "Import")
    tab.drawings.writers_table.choose("Ada")
    strokes, table = tmp_path / "mine.jsonl", tmp_path / "mine.csv"
    paths = iter([strokes, table])
    monkeypatch.setattr(FileDialogs, "to_save", lambda *_: next(paths))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    for number, done in enumerate((strokes.exists, lambda: (tmp_path / "my-digits" / "7").exists(), table.exists)):
        tab.transfer.export_button.menu().actions()[number].trigger()
        qtbot.waitUntil(done)
    qtbot.waitUntil(lambda: tab.transfer._session.message == "Exported 2 drawings to mine.csv")
    assert [(digit.label, digit.writer) for digit in import_strokes(strokes)] == [(0, "Ada"), (7, "Ada")]
    assert sorted(digit.label for digit in import_images(tmp_path / "my-digits")) == [0, 7]
    with table.open() as file:
        assert [row[0] for row in csv.reader(file)] == ["label", "0", "7"]
