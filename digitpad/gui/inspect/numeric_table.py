"""Lines of names and numbers, painted: they may change at every frame, which labels would be too slow for."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.widgets.theme import Theme, fixed_width_digits

LINE_PX = 19
BAR_LEFT_PX = 26


@dataclass(frozen=True)
class TableLine:
    """A line of a sheet.

    Attributes
    ----------
    cells : tuple of str
        The first begins at the left, the others end at their columns; one alone may be as wide as the sheet.
    strong, soft : bool
        How it stands out.
    ruled : bool
        Whether a rule is drawn above.
    bar : float, optional
        A bar between the first cell and the last, of -1..1 from its middle.
    """

    cells: tuple[str, ...]
    strong: bool = False
    soft: bool = False
    ruled: bool = False
    bar: float | None = None


class NumericTable(QWidget):
    """Lines in columns; those that do not fit are not shown."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._lines: tuple[TableLine, ...] = ()
        self._ends: tuple[float, ...] = (1.0,)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.update)

    @property
    def n_fit(self) -> int:
        """How many lines there is room for."""
        return max(1, self.height() // LINE_PX)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join("  ".join(filter(None, line.cells)) for line in self._lines)

    def set_lines(self, lines: Sequence[TableLine], ends: tuple[float, ...] = (1.0,)) -> None:
        """Show these; columns after the first end at these shares of the width."""
        self._lines, self._ends = tuple(lines), ends
        self.setAccessibleDescription(self.text)
        self.update()

    # Overrides of Qt's.

    def sizeHint(self) -> QSize:
        return QSize(280, 12 * LINE_PX)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 4 * LINE_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = fixed_width_digits(self.font())
        font.setPixelSize(12)
        shown = self._lines[: self.n_fit]
        names = [QFontMetrics(font).horizontalAdvance(line.cells[0]) for line in shown if line.bar is not None]
        bar_left = min(max([BAR_LEFT_PX - 10, *names]) + 10, round(0.4 * self.width()))
        for number, line in enumerate(shown):
            row = QRectF(0, number * LINE_PX, self.width(), LINE_PX)
            if line.ruled:
                painter.setPen(QPen(QColor(tokens.hairline), 1))
                painter.drawLine(row.topLeft() + QPointF(0, 0.5), row.topRight() + QPointF(0, 0.5))
            if line.bar is not None:
                self._paint_bar(painter, row, line.bar, bar_left)
            font.setWeight(QFont.Weight.DemiBold if line.strong else QFont.Weight.Normal)
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft if line.soft else tokens.text))
            self._paint_cells(painter, row, line.cells, QFontMetrics(font), bar_left if line.bar is not None else None)
        painter.end()

    def _paint_cells(
        self, painter: QPainter, row: QRectF, cells: tuple[str, ...], metrics: QFontMetrics, bar_left: int | None
    ) -> None:
        middle = Qt.AlignmentFlag.AlignVCenter
        first, *others = cells
        room = QRectF(row)
        if bar_left is not None:
            room.setWidth(bar_left - 6)
        elif others:
            room.setWidth(self.width() * self._ends[0] - metrics.horizontalAdvance(others[0]) - 6 * bool(others[0]))
        painter.drawText(room, middle, metrics.elidedText(first, Qt.TextElideMode.ElideRight, int(room.width())))
        for cell, end in zip(others, self._ends, strict=False):
            painter.drawText(
                QRectF(0, row.top(), self.width() * end, LINE_PX), middle | Qt.AlignmentFlag.AlignRight, cell
            )

    def _paint_bar(self, painter: QPainter, row: QRectF, share: float, left: float) -> None:
        tokens = self._theme.tokens
        right = self.width() * self._ends[-1] - 64
        middle, half = (left + right) / 2, (right - left) / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.ground))
        painter.drawRoundedRect(QRectF(left, row.center().y() - 4, right - left, 8), 4, 4)
        painter.setBrush(QColor(tokens.accent if share > 0 else tokens.second))
        length = half * min(abs(share), 1.0)
        painter.drawRect(QRectF(middle if share > 0 else middle - length, row.center().y() - 4, length, 8))
