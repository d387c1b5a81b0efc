"""Painted table of names and numbers; it can change at every frame, for which labels would be too slow."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits

LINE_PX = 19
BAR_LEFT_PX = 26


@dataclass(frozen=True)
class TableLine:
    """Line of a table.

    Attributes
    ----------
    cells : tuple of str
        Texts: the first is left-aligned, the others right-aligned in their columns. A single cell may be as wide as the
        table.
    strong, soft : bool
        Whether the text is bold, and whether it is grey.
    ruled : bool
        Whether a rule is drawn above the line.
    bar : float, optional
        Length of a bar between the first and the last cell, -1..1 from the middle.
    """

    cells: tuple[str, ...]
    strong: bool = False
    soft: bool = False
    ruled: bool = False
    bar: float | None = None


class NumericTable(QWidget):
    """Table of lines in columns; lines that do not fit are not drawn."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._lines: tuple[TableLine, ...] = ()
        self._ends: tuple[float, ...] = (1.0,)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        set_accessible_role(self, Role.StaticText)
        theme.changed.connect(self.update)

    @property
    def n_fit(self) -> int:
        """Number of lines that fit, at least 1."""
        return max(1, self.height() // scaled(LINE_PX))

    @property
    def text(self) -> str:
        """Text of all lines."""
        return "\n".join("  ".join(filter(None, line.cells)) for line in self._lines)

    def set_lines(self, lines: Sequence[TableLine], ends: tuple[float, ...] = (1.0,)) -> None:
        """Show lines; ``ends`` are the right ends of the columns after the first, as shares of the width."""
        self._lines, self._ends = tuple(lines), ends
        self.setAccessibleDescription(self.text)
        self.update()

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(280, 12 * scaled(LINE_PX))

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 4 * scaled(LINE_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = fixed_width_digits(self.font())
        font.setPixelSize(scaled(12))
        visible = self._lines[: self.n_fit]
        names = [QFontMetrics(font).horizontalAdvance(line.cells[0]) for line in visible if line.bar is not None]
        bar_left = min(max([BAR_LEFT_PX - 10, *names]) + 10, round(0.4 * self.width()))
        for number, line in enumerate(visible):
            row = QRectF(0, number * scaled(LINE_PX), self.width(), scaled(LINE_PX))
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
                QRectF(0, row.top(), self.width() * end, scaled(LINE_PX)), middle | Qt.AlignmentFlag.AlignRight, cell
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
