"""Test of the context menu of the pad."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.window import Window
from tests.unit.gui.hand import DIGITS, draw, find


def test_the_pad_has_a_menu_of_its_commands(qtbot: QtBot, window: Window) -> None:
    """A right click offers to undo, copy, paste, clear, open, crop and save; Clear clears the pad."""
    pad = window.page(DrawTab).pad
    draw(pad, DIGITS[7])
    menu = find(window, QMenu, "pad_menu")
    pad.customContextMenuRequested.emit(QPoint(20, 20))
    assert menu.isVisible()
    texts = [action.text().replace("&", "") for action in menu.actions() if action.text()]
    assert [text.split()[0].strip("…") for text in texts] == [
        "Undo",
        "Redo",
        "Copy",
        "Paste",
        "Clear",
        "Open",
        "Crop",
        "Save",
        "Save",
    ]
    next(action for action in menu.actions() if action.text() == "C&lear").trigger()
    menu.close()
    qtbot.waitUntil(lambda: pad.is_empty)
