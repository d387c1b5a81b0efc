"""Tooltips that wrap, with the platform's key names; Qt shows a plain text in a single line, however long."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel

from digitpad.gui.widgets.menu_utils import with_native_keys
from digitpad.gui.widgets.text_size import scaled

MAX_WIDTH_PX = 360
_BELOW_POINTER_PX = 16


class TooltipWrapper(QObject):
    """Event filter that wraps every tooltip of an application when Qt shows it or changes its text."""

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Resize) and watched.inherits("QTipLabel"):
            assert isinstance(watched, QLabel)
            _name_keys(watched)
            _wrap(watched)
        return False


def _name_keys(tip: QLabel) -> None:
    if (text := with_native_keys(tip.text())) != tip.text():
        tip.setText(text)
        tip.adjustSize()


def _wrap(tip: QLabel) -> None:
    limit = scaled(MAX_WIDTH_PX)
    if tip.width() <= limit:
        return
    tip.setWordWrap(True)
    tip.resize(limit, tip.heightForWidth(limit))
    pointer = QCursor.pos()
    screen = QGuiApplication.screenAt(pointer) or QGuiApplication.primaryScreen()
    area = screen.availableGeometry()
    x = max(area.left(), min(pointer.x() + 2, area.right() - tip.width()))
    y = pointer.y() + _BELOW_POINTER_PX
    if y + tip.height() > area.bottom():
        y = pointer.y() - tip.height() - 4
    tip.move(x, max(area.top(), y))
