"""The outline that points at a part of the window."""

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QScrollArea, QWidget

from digitpad.gui.widgets.theme import Theme

_FOLLOW_MS = 100
_MARGIN_PX = 3
_SCROLLS = 5


class Pointer(QObject):
    """Draws an outline round a widget, and follows it when it moves, is hidden or is scrolled.

    Parameters
    ----------
    theme : Theme
    parent : QWidget
        A window; widgets of the windows that it owns can be pointed at too.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._window = theme, parent
        self._name = ""
        self._scrolls = 0
        self._outline: _Outline | None = None
        self._timer = QTimer(self, interval=_FOLLOW_MS)
        self._timer.timeout.connect(self._follow)

    @property
    def target(self) -> QWidget | None:
        """The widget that is pointed at, if it is on the screen."""
        widgets = self._window.findChildren(QWidget, self._name) if self._name else []
        return next((widget for widget in widgets if widget.isVisible()), None)

    def point_at(self, name: str) -> None:
        """Point at the widget with an object name; an empty name points at nothing."""
        self._name = name
        self._scrolls = _SCROLLS
        if name:
            self._timer.start()
        else:
            self._timer.stop()
        self._follow()

    def _follow(self) -> None:
        target = self.target
        if target is None:
            self._remove()
            return
        if self._scrolls:  # not only once, as a tab that was just built is still laid out
            self._scrolls -= 1
            _scroll_to(target)
        window = target.window()
        if self._outline is None or self._outline.parentWidget() is not window:
            self._remove()
            self._outline = _Outline(self._theme, window)
        place = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
        self._outline.show_round(place & target.visibleRegion().boundingRect().translated(place.topLeft()))

    def _remove(self) -> None:
        if self._outline is not None:
            self._outline.hide()
            self._outline.deleteLater()
            self._outline = None


class _Outline(QWidget):
    """Rounded outline over a window, through which the mouse passes."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("pointer")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme.changed.connect(self.update)

    def show_round(self, place: QRect) -> None:
        """Show the outline round a rectangle of the window."""
        self.setVisible(not place.isEmpty())
        self.setGeometry(place.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX))
        self.raise_()

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.second), 3))
        painter.drawRoundedRect(self.rect().adjusted(2, 2, -2, -2), 9, 9)
        painter.end()


def _scroll_to(widget: QWidget) -> None:
    """Make a widget visible in the scroll areas that it is in."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(widget, 8, 8)
        parent = parent.parentWidget()
