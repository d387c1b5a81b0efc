"""Sizes that follow the text: the system's font size times the size that the user chose.

The application's font is the only place where the text size is kept. Sizes in the code are for text of `BODY_PX`.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFont, QFontInfo
from PySide6.QtWidgets import QApplication, QWidget

BODY_PX = 13
"""Height of normal text in pixels, at which the sizes in the code were chosen; text is at least as large at 100 %."""

SIZES = range(90, 201)
"""Text sizes in percent that can be chosen."""


def set_text_size(application: QApplication, system_font: QFont, percent: int) -> None:
    """Make all text ``percent`` of the size of the system's font."""
    font = QFont(system_font)
    font.setPixelSize(round(max(BODY_PX, QFontInfo(system_font).pixelSize()) * percent / 100))
    if font != application.font():
        application.setFont(font)


def scaled(size_px: float) -> int:
    """Return a size in pixels for the current text size."""
    return round(size_px * QApplication.font().pixelSize() / BODY_PX)


def scale_with_text(widget: QWidget, apply: Callable[..., object], *sizes_px: float) -> None:
    """Call ``apply``, such as ``widget.setFixedWidth``, with scaled sizes now and whenever the text size changes."""
    follow_text_size(widget, lambda: apply(*map(scaled, sizes_px)))


def follow_text_size(widget: QWidget, apply: Callable[[], object]) -> None:
    """Call ``apply`` now and whenever the text size changes."""
    _Scaling(widget, apply)


class _Scaling(QObject):
    """Applies sizes again when its widget hears of a change after which the application's font has another size."""

    _HEARD = (QEvent.Type.ApplicationFontChange, QEvent.Type.FontChange, QEvent.Type.StyleChange)

    def __init__(self, widget: QWidget, apply: Callable[[], object]) -> None:
        super().__init__(widget)
        self._apply = apply
        self._applied_px = 0
        widget.installEventFilter(self)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in self._HEARD:
            self._follow()
        return False

    def _follow(self) -> None:
        size_px = QApplication.font().pixelSize()
        if size_px != self._applied_px:
            self._applied_px = size_px
            self._apply()
