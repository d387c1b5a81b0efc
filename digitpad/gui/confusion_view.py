"""The confusion matrix: what was read as what."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from digitpad.datasets.dataset import N_CLASSES
from digitpad.gui.theme import Theme, fixed_width_digits

_LEFT, _TOP = 28, 40
_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class ConfusionView(QWidget):
    """Rows are digits, columns what they were read as; a click, or Enter, opens the digits of a cell."""

    opened = Signal(int, int)  # digit, read as

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._confusion: NDArray[np.int64] | None = None
        self._cell = (0, 0)
        self.setObjectName("confusion")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)
        self._tell()

    def set_confusion(self, confusion: NDArray[np.int64]) -> None:
        """Show these counts."""
        self._confusion = confusion
        self._tell()
        self.update()

    @property
    def cell(self) -> tuple[int, int]:
        """The current cell: digit, and what it was read as."""
        return self._cell

    def _said(self, digit: int, read_as: int) -> str:
        if self._confusion is None:
            return ""
        count = int(self._confusion[digit, read_as])
        return f"{digit} read as {read_as}: {count:,} of {int(self._confusion[digit].sum()):,}"

    def _tell(self) -> None:
        self.setAccessibleName("Confusion matrix")
        self.setAccessibleDescription(self._said(*self._cell))

    def _move_to(self, digit: int, read_as: int) -> None:
        self._cell = (min(max(digit, 0), N_CLASSES - 1), min(max(read_as, 0), N_CLASSES - 1))
        self._tell()
        self.update()

    def rect_of(self, digit: int, read_as: int) -> QRectF:
        """Where a cell lies."""
        width, height = (self.width() - _LEFT) / N_CLASSES, (self.height() - _TOP) / N_CLASSES
        return QRectF(_LEFT + read_as * width, _TOP + digit * height, width, height)

    def _cell_at(self, place: QPoint) -> tuple[int, int] | None:
        column = int((place.x() - _LEFT) * N_CLASSES // max(1, self.width() - _LEFT))
        row = int((place.y() - _TOP) * N_CLASSES // max(1, self.height() - _TOP))
        return (row, column) if 0 <= row < N_CLASSES and 0 <= column < N_CLASSES else None

    # Overrides of Qt's.

    def sizeHint(self) -> QSize:
        return QSize(_LEFT + 42 * N_CLASSES, _TOP + 30 * N_CLASSES)

    def minimumSizeHint(self) -> QSize:
        return QSize(_LEFT + 32 * N_CLASSES, _TOP + 17 * N_CLASSES)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and (cell := self._cell_at(event.pos())) is not None:
            QToolTip.showText(event.globalPos(), self._said(*cell), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and self._confusion is not None:
            self._move_to(*cell)
            self.opened.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        inside = self._cell_at(event.position().toPoint()) is not None and self._confusion is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if inside else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (step := _ARROWS.get(Qt.Key(event.key()))) is not None:
            self._move_to(self._cell[0] + step[0], self._cell[1] + step[1])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._confusion is not None:
            self.opened.emit(*self._cell)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = fixed_width_digits(self.font())
        font.setPixelSize(max(9, min(13, int(self.rect_of(0, 0).height()) - 6)))
        painter.setFont(font)
        painter.setPen(QColor(tokens.soft))
        centred = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRect(_LEFT, 0, self.width() - _LEFT, 18), centred, "read as")
        for digit in range(N_CLASSES):
            cell = self.rect_of(digit, digit)
            painter.drawText(QRectF(cell.left(), 20, cell.width(), 18), centred, str(digit))
            painter.drawText(QRectF(0, cell.top(), _LEFT - 6, cell.height()), centred, str(digit))
        counts = np.zeros((N_CLASSES, N_CLASSES), int) if self._confusion is None else self._confusion
        most = max(1, int((counts - np.diag(counts.diagonal())).max()))
        for row, column in np.ndindex(*counts.shape):
            count = int(counts[row, column])
            cell = self.rect_of(row, column).adjusted(1, 1, -1, -1)
            colour = QColor(tokens.ground)
            if row == column:
                colour = QColor(tokens.accent_ground)
            elif count:
                colour = QColor(tokens.second)
                colour.setAlphaF(0.12 + 0.58 * (count / most) ** 0.5)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(cell, 4, 4)
            if count:
                font.setBold(row == column)
                painter.setFont(font)
                painter.setPen(QColor(tokens.text))
                painter.drawText(cell, centred, f"{count:,}".replace(",", "\N{THIN SPACE}"))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(self.rect_of(*self._cell).adjusted(1, 1, -1, -1), 4, 4)
        painter.end()
