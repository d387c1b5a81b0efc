"""Presentation: the tab that is shown fills the screen, with text that is read from the last row."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

LARGEST = 200
"""Text size in percent, where the screen has room for it."""

_PAGE_PX = (920, 524)  # a tab at a text size of 100 %


class Presentation(QObject):
    """Switches the presentation on and off.

    Parameters
    ----------
    window : Window
    around : sequence of QWidget
        What is hidden: the tab bar and the status bar.
    """

    def __init__(self, window: "Window", around: tuple[QWidget, ...]) -> None:
        super().__init__(window)
        self._window, self._around = window, around
        self.is_on = False
        self._text_size = 100
        self._was_full_screen = False
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.activated.connect(self.toggle)
        self._escape.setEnabled(False)

    def toggle(self) -> None:
        """Begin or end the presentation."""
        window, theme = self._window, self._window.session.theme
        self.is_on = not self.is_on
        self._escape.setEnabled(self.is_on)
        # A hidden menu bar would take its shortcuts with it.
        window.menuBar().setMaximumHeight(0 if self.is_on else 16_777_215)
        for widget in self._around:
            widget.setVisible(not self.is_on)
        if self.is_on:
            self._text_size, self._was_full_screen = theme.text_size, window.isFullScreen()
            theme.set_text_size(text_size_for(window.screen().size().width(), window.screen().size().height()))
            window.showFullScreen()
        else:
            theme.set_text_size(self._text_size)
            if not self._was_full_screen:
                window.showNormal()
        self.follow_page()

    def follow_page(self) -> None:
        """Tell each tab that was built whether it is presented."""
        for page in self._window.built_pages:
            page.present(self.is_on)


def text_size_for(width_px: int, height_px: int) -> int:
    """Return the largest text size in percent, from 100 to 200, at which a tab fits the screen."""
    most = 100 * min(width_px / _PAGE_PX[0], height_px / _PAGE_PX[1])
    return max(100, min(LARGEST, int(most)))
