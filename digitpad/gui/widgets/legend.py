"""Legend entries: a symbol and its text."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme
from digitpad.plotting.palette import Palette

_SYMBOL_PX = 16
_GAP_PX = 6

Symbol = Callable[[QPainter, QRectF, Palette], None]
"""Paints the symbol of a legend entry into a square."""


class LegendEntry(QWidget):
    """A symbol and its text.

    Parameters
    ----------
    theme : Theme
    symbol : callable
    text : str
    name : str
        Object name.
    """

    def __init__(self, theme: Theme, symbol: Symbol, text: str = "", name: str = "") -> None:
        super().__init__()
        self._theme, self._symbol = theme, symbol
        self.setObjectName(name)
        set_accessible_role(self, Role.StaticText)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_text(text)
        theme.changed.connect(self.update)

    def set_text(self, text: str, accessible_name: str = "") -> None:
        """Set the text, and optionally a longer one for screen readers."""
        self._text = text
        self.setAccessibleName(accessible_name or text)
        self.updateGeometry()
        self.update()

    # Qt overrides.

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(_SYMBOL_PX + _GAP_PX + metrics.horizontalAdvance(self._text), max(20, metrics.height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._symbol(painter, QRectF(0, (self.height() - _SYMBOL_PX) / 2, _SYMBOL_PX, _SYMBOL_PX), self._theme.tokens)
        painter.setPen(QColor(self._theme.tokens.soft))
        text_area = self.rect().adjusted(_SYMBOL_PX + _GAP_PX, 0, 0, 0)
        painter.drawText(text_area, Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()


def line_symbol(colour: str) -> Symbol:
    """Return a symbol: a line in a colour of the palette."""

    def paint(painter: QPainter, box: QRectF, palette: Palette) -> None:
        painter.setPen(QPen(QColor(getattr(palette, colour)), 2))
        y = box.center().y()
        painter.drawLine(QPointF(box.left() + 1, y), QPointF(box.right() - 1, y))

    return paint


def sign_symbol(sign: str, colour: QColor) -> Symbol:
    """Return a symbol: ``+`` or ``−`` in a colour, on a black box."""

    def paint(painter: QPainter, box: QRectF, palette: Palette) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor("black"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QPen(colour, 2))
        x, y = box.center().x(), box.center().y()
        painter.drawLine(QPointF(x - 4, y), QPointF(x + 4, y))
        if sign == "+":
            painter.drawLine(QPointF(x, y - 4), QPointF(x, y + 4))

    return paint
