from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.presentation import text_size_for
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from tests.unit.gui.hand import TRAIN, find, menu_action


def test_presenting_fills_the_screen_with_large_text(qtbot: QtBot, window: Window) -> None:
    """F5 begins and Esc ends it; all is as before then, and the text size in Preferences never changed."""
    before, size = window.page(DrawTab).pad.width(), window.size()
    menu_action(window, "Present").trigger()
    assert window.isFullScreen()
    assert window.session.theme.text_size == 200
    assert window.session.preferences.text_size == 100
    assert not find(window, QWidget, "tabs").isVisible()
    assert window.page(DrawTab).pad.width() > 1.2 * before
    assert menu_action(window, "Present").isEnabled()
    window.show_page(TRAIN)
    train = window.page(TrainTab)
    assert not train.form.isVisible()
    assert train.board.width() > 0.9 * window.width()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert window.session.theme.text_size == 100
    assert train.form.isVisible()
    assert find(train, QPushButton, "train_button").isVisible()
    assert find(window, QWidget, "tabs").isVisible()
    assert window.size() == size


def test_the_text_is_as_large_as_the_screen_has_room_for() -> None:
    """Twice as large on a projector of 1920 × 1080."""
    assert [text_size_for(*size) for size in ((1920, 1080), (1280, 720), (800, 600), (3840, 2160))] == [
        200,
        137,
        100,
        200,
    ]
