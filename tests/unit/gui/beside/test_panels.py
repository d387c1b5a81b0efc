from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.beside.compare_panel import ComparePanel
from digitpad.gui.beside.drawing_history import CAPTION_PX, CELL_PX, COLUMNS, MOST, PastDrawing, contact_sheet
from digitpad.gui.beside.history_panel import HistoryPanel
from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.lessons.lesson_stage import written
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.ink.drawing import Drawing
from tests.unit.gui.hand import draw, find, menu_action, placed


def test_the_history_keeps_each_drawing_and_restores_it(window: Window) -> None:
    """Strokes of one drawing are one entry; a restored drawing is on the pad again, and Undo takes it back."""
    menu_action(window, "History").trigger()
    panel, session = find(window, HistoryPanel), window.session
    pad = window.page(DrawTab).pad
    assert panel._empty.isVisible()
    for digit in (7, 4):
        draw(pad, placed(digit, 100, 100, 250))
        session.clear_drawing()
    assert [past.answer for past in window.companions.history.drawings] == ["7", "4"]
    assert [panel.list.item(row).text() for row in range(2)] == ["4", "7"]
    panel.list.itemClicked.emit(panel.list.item(1))
    assert session.prediction is not None
    assert session.prediction.label == "7"
    session.undo_stack.undo()
    assert session.drawing.is_empty
    menu_action(window, "History").trigger()
    assert window.findChild(QWidget, "history_panel") is None


def test_the_history_keeps_at_most_forty(window: Window) -> None:
    """The oldest ones go."""
    drawing = written(3)
    for number in range(MOST + 3):
        window.companions.history._keep(PastDrawing(Drawing(drawing.strokes), str(number)))
    assert len(window.companions.history.drawings) == MOST
    assert window.companions.history.drawings[0].answer == "3"


def test_the_contact_sheet_shows_all(window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one PNG, in rows of eight."""
    window.companions.history.drawings = [PastDrawing(written(number % 10), str(number % 10)) for number in range(10)]
    sheet = contact_sheet(window.companions.history.drawings)
    assert sheet.width() == COLUMNS * CELL_PX
    dark = [
        any(sheet.pixelColor(x, y).lightness() < 100 for x in range(column * CELL_PX, (column + 1) * CELL_PX, 3))
        for column, y in (
            (0, CELL_PX // 2),
            (1, CELL_PX + CAPTION_PX + CELL_PX // 2),
            (3, 3 * CELL_PX // 2 + CAPTION_PX),
        )
    ]
    assert dark == [True, True, False]
    monkeypatch.setattr(FileDialogs, "to_save", lambda *_: tmp_path / "sheet.png")
    window.companions.toggle_history()
    find(window, HistoryPanel).save_sheet()
    assert QImage(str(tmp_path / "sheet.png")).size() == sheet.size()


def test_two_networks_read_one_drawing(qtbot: QtBot, window: Window) -> None:
    """The second one is the dense one at first; its bars follow the pad, and closing the panel ends it."""
    window.session.put_drawing(written(7), "Draw")
    menu_action(window, "Compare with").trigger()
    panel = find(window, ComparePanel)
    qtbot.waitUntil(lambda: panel.other is not None)
    assert panel._verdict.text().startswith("Both read 7")
    first, second = (bars._target for bars in panel.bars)
    assert first is not None
    assert second is not None
    assert first != second
    window.session.put_drawing(written(3), "Draw")
    qtbot.waitUntil(lambda: panel._verdict.text().startswith("Both read 3"))
    window.session.clear_drawing()
    qtbot.waitUntil(lambda: panel._verdict.text().startswith("Draw a digit"))
    menu_action(window, "Compare with").trigger()
    assert window.findChild(QWidget, "compare_panel") is None
