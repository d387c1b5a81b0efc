"""Confusion matrix."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from digitpad.class_names import DIGITS
from digitpad.gui.evaluate.class_differences import format_signed
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.number_format import format_count
from digitpad.plotting.palette import blend, readable_on

_TITLE_PX = 19
_LINE_PX = 15  # height of a name
_MAX_LANES = 3  # of column names; if more are needed, the names are rotated
_NAMES_SHARE = 0.3  # maximum share of the width, or of the height, for names
_LEAST_HEIGHT_PX = 13  # minimum height of a cell with a count
_FAINTEST = 0.12
_N_OFTEN = 3
_ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class ConfusionView(QWidget):
    """Confusion matrix with true classes as rows and predicted classes as columns.

    A click or Enter opens the images of a cell. If cells are too small for counts, their colours show them, and the
    count of the cell under the pointer is shown above the matrix.
    """

    opened = Signal(int, int)  # true class, predicted class

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._names: Sequence[str] = DIGITS
        self._confusion: NDArray[np.int64] | None = None
        self._other: NDArray[np.int64] | None = None
        self._cell = (0, 0)
        self._pointed: tuple[int, int] | None = None
        self._lay_out()
        self.setObjectName("confusion")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        theme.changed.connect(self.update)
        self._update_description()

    def set_confusion(
        self, confusion: NDArray[np.int64], class_names: Sequence[str], other: NDArray[np.int64] | None = None
    ) -> None:
        """Show counts of shape (n_classes, n_classes), or by how much they differ from those of another network."""
        self._confusion, self._names, self._other = confusion, class_names, other
        self._pointed = None
        self._lay_out()
        self.move_to(*self._cell)

    @property
    def cell(self) -> tuple[int, int]:
        """Current cell: true class and predicted class."""
        return self._cell

    def _describe(self, row: int, column: int) -> str:
        if self._confusion is None:
            return ""
        count, total = int(self._confusion[row, column]), int(self._confusion[row].sum())
        text = f"{self._names[row]} read as {self._names[column]}: {format_count(count)} of {format_count(total)}"
        if self._other is not None:
            text += f", and {format_count(int(self._other[row, column]))} by the other network"
        return text

    def _most_often(self, counts: NDArray[np.int64]) -> str:
        """Return the most frequent mistakes as text, for a matrix without counts."""
        wrong = counts - np.diag(counts.diagonal())
        rows, columns = np.unravel_index(np.argsort(-wrong, axis=None, kind="stable")[:_N_OFTEN], wrong.shape)
        return ", ".join(
            f"{self._names[row]} read as {self._names[column]} {format_count(int(wrong[row, column]))}×"
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            if wrong[row, column]
        )

    def _update_description(self) -> None:
        self.setAccessibleName("Confusion matrix")
        set_accessible_role(self, Role.Chart)
        self.setAccessibleDescription(self._describe(*self._cell))

    @property
    def shown(self) -> NDArray[np.int64]:
        """Numbers of the cells: counts, or differences of counts."""
        n = len(self._names)
        if self._confusion is None:
            return np.zeros((n, n), np.int64)
        return self._confusion if self._other is None else self._confusion - self._other

    def move_to(self, row: int, column: int) -> None:
        last = len(self._names) - 1
        self._cell = (min(max(row, 0), last), min(max(column, 0), last))
        self._update_description()
        self.update()

    # Geometry.

    def rect_of(self, row: int, column: int) -> QRectF:
        """Return the rectangle of a cell."""
        area, n = self._area, len(self._names)
        width, height = area.width() / n, area.height() / n
        return QRectF(area.left() + column * width, area.top() + row * height, width, height)

    def cell_at(self, position: QPointF) -> tuple[int, int] | None:
        area, n = self._area, len(self._names)
        if self._confusion is None or not area.contains(position):
            return None
        row = int((position.y() - area.top()) * n / area.height())
        column = int((position.x() - area.left()) * n / area.width())
        return min(row, n - 1), min(column, n - 1)

    def _lay_out(self) -> None:
        """Lay out the names of rows and columns, and compute the area left for the cells."""
        n = len(self._names)
        longest = max(map(QFontMetricsF(self.cell_font()).horizontalAdvance, self._names)) + 4
        n_lanes = math.ceil(_LINE_PX / max(1.0, (self.height() - _TITLE_PX - _LINE_PX) / n))
        self.beside = _Lanes(n_lanes, min(longest, _NAMES_SHARE * self.width() / n_lanes))
        left = self.beside.room + 6
        width = max(1.0, (self.width() - left) / n)
        n_lanes = math.ceil(longest / width)
        self.above = _Lanes(n_lanes, _LINE_PX)
        if n_lanes > _MAX_LANES:
            n_lanes = math.ceil(_LINE_PX / width)
            self.above = _Lanes(n_lanes, min(longest, _NAMES_SHARE * self.height() / n_lanes), turned=True)
        top = _TITLE_PX + self.above.room + 4
        self._area = QRectF(left, top, max(1.0, self.width() - left), max(1.0, self.height() - top))

    def cell_font(self) -> QFont:
        font = fixed_width_digits(self.font())
        font.setPixelSize(12 if len(self._names) <= len(DIGITS) else 11)
        return font

    # Painting.

    def _paint_names(self, painter: QPainter, pointed: tuple[int, int]) -> None:
        tokens, beside, above, area = self._theme.tokens, self.beside, self.above, self._area
        metrics = QFontMetricsF(painter.font())
        for index, name in enumerate(self._names):
            cell = self.rect_of(index, index)
            painter.setPen(QColor(tokens.text if index == pointed[0] else tokens.soft))
            right = area.left() - 6 - index % beside.n_lanes * beside.lane_px
            middle = min(cell.center().y(), self.height() - _LINE_PX / 2)
            room = QRectF(right - beside.lane_px, middle - _LINE_PX / 2, beside.lane_px, _LINE_PX)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, beside.lane_px)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(QColor(tokens.text if index == pointed[1] else tokens.soft))
            bottom = area.top() - 3 - index % above.n_lanes * above.lane_px
            if above.turned:
                painter.save()
                painter.translate(cell.center().x(), bottom)
                painter.rotate(-90)
                text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, above.lane_px)
                painter.drawText(QRectF(0, -8, above.lane_px, 16), Qt.AlignmentFlag.AlignVCenter, text)
                painter.restore()
            else:
                half = metrics.horizontalAdvance(name) / 2 + 2
                middle = min(max(cell.center().x(), half), self.width() - half)
                room = QRectF(middle - half, bottom - _LINE_PX, 2 * half, _LINE_PX)
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, name)

    def _paint_counts(self, painter: QPainter, counts: NDArray[np.int64], font: QFont) -> None:
        """Paint a rounded cell for each count."""
        tokens = self._theme.tokens
        most = _max_mistakes(counts)
        for row, column in np.ndindex(*counts.shape):
            count = int(counts[row, column])
            colour = tokens.ground
            if row == column:
                colour = tokens.accent_ground
            elif count:
                colour = blend(tokens.card, tokens.second, _FAINTEST + 0.58 * (count / most) ** 0.5)
            self._paint_cell(painter, row, column, colour, format_count(count) if count else "", font)

    def _paint_differences(self, painter: QPainter, differences: NDArray[np.int64], font: QFont) -> None:
        """Paint a rounded cell for each difference; better cells are in one colour, worse ones in another.

        More right predictions are better, and so are fewer mistakes; signs show which counts are higher.
        """
        tokens = self._theme.tokens
        most = max(1, int(np.abs(differences).max()))
        for row, column in np.ndindex(*differences.shape):
            difference = int(differences[row, column])
            is_better = (difference > 0) == (row == column)
            strength = _FAINTEST + 0.58 * (abs(difference) / most) ** 0.5
            colour = blend(tokens.card, tokens.accent if is_better else tokens.second, strength)
            if not difference:
                colour = tokens.accent_ground if row == column else tokens.ground
            self._paint_cell(painter, row, column, colour, format_signed(difference) if difference else "", font)

    def _paint_cell(self, painter: QPainter, row: int, column: int, colour: str, text: str, font: QFont) -> None:
        cell = self.rect_of(row, column).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawRoundedRect(cell, 4, 4)
        font.setBold(row == column)
        painter.setFont(font)
        painter.setPen(QColor(readable_on(colour)))
        painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_colours(self, painter: QPainter, counts: NDArray[np.int64], area: QRectF) -> None:
        """Paint an enlarged pixel for each count.

        Right predictions are coloured by their share of the class, and mistakes relative to the most frequent mistake.
        """
        tokens = self._theme.tokens
        shares = np.sqrt(counts / _max_mistakes(counts))
        diagonal = np.arange(len(counts))
        shares[diagonal, diagonal] = counts.diagonal() / np.maximum(1, counts.sum(axis=1))
        alphas = np.where(counts > 0, _FAINTEST + (0.9 - _FAINTEST) * shares, 0)[..., None]
        ground, right, wrong = (_rgb(colour) for colour in (tokens.ground, tokens.accent, tokens.second))
        is_blue = np.eye(len(counts), dtype=bool)
        if self._other is not None:
            differences = self.shown
            is_blue = (differences > 0) == is_blue
            shares = np.sqrt(np.abs(differences) / max(1, int(np.abs(differences).max())))
            alphas = np.where(differences != 0, _FAINTEST + (0.9 - _FAINTEST) * shares, 0)[..., None]
        colours = np.where(is_blue[..., None], right, wrong)
        pixels = np.full((*counts.shape, 4), 255, np.uint8)
        pixels[..., :3] = np.rint(ground + alphas * (colours - ground))
        n = len(counts)
        painter.drawImage(area, QImage(pixels.data, n, n, 4 * n, QImage.Format.Format_RGBA8888))

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(448, 340)

    def minimumSizeHint(self) -> QSize:
        return QSize(348, 210)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and (cell := self.cell_at(QPointF(event.pos()))) is not None:
            QToolTip.showText(event.globalPos(), self._describe(*cell), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (cell := self.cell_at(event.position())) is not None:
            self.move_to(*cell)
            self.opened.emit(*cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pointed = self.cell_at(event.position())
        self.setCursor(Qt.CursorShape.ArrowCursor if pointed is None else Qt.CursorShape.PointingHandCursor)
        if pointed != self._pointed:
            self._pointed = pointed
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._pointed = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (step := _ARROWS.get(Qt.Key(event.key()))) is not None:
            self._pointed = None
            self.move_to(self._cell[0] + step[0], self._cell[1] + step[1])
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
        area = self._area
        pointed = self._pointed or (self._cell if self.hasFocus() else None)
        painter.setFont(self.cell_font())
        n = len(self._names)
        counts = np.zeros((n, n), np.int64) if self._confusion is None else self._confusion
        font = self.cell_font()
        font.setPixelSize(max(9, min(13, int(area.height() / n) - 6)))
        font.setBold(True)
        longest = format_count(int(counts.max()))
        while (widest := QFontMetricsF(font).horizontalAdvance(longest)) > area.width() / n and font.pixelSize() > 9:
            font.setPixelSize(font.pixelSize() - 1)
        has_counts = area.height() / n >= _LEAST_HEIGHT_PX and area.width() / n >= widest
        painter.setPen(QColor(tokens.soft if pointed is None else tokens.text))
        title = "predicted" if has_counts else self._most_often(counts)
        if has_counts and self._other is not None:
            title = "predicted; blue: better, orange: worse"
        if pointed is not None and self._confusion is not None:
            title = self._describe(*pointed)
        title = QFontMetricsF(painter.font()).elidedText(title, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(QRectF(area.left(), 0, area.width(), _TITLE_PX), Qt.AlignmentFlag.AlignHCenter, title)
        self._paint_names(painter, pointed or (-1, -1))
        if has_counts and self._other is not None:
            self._paint_differences(painter, self.shown, font)
        elif has_counts:
            self._paint_counts(painter, counts, font)
        else:
            self._paint_colours(painter, counts, area)
        if pointed is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent if self.hasFocus() else tokens.faint), 2))
            inset = 1 if has_counts else -1  # cells without counts have no gaps, so the frame lies around them
            cell = self.rect_of(*pointed).adjusted(inset, inset, -inset, -inset)
            painter.drawRoundedRect(cell, 4 if has_counts else 1, 4 if has_counts else 1)
        painter.end()


@dataclass(frozen=True)
class _Lanes:
    """Parallel lanes of names, used if names are larger than their cells; ``turned`` names are rotated by 90°."""

    n_lanes: int
    lane_px: float
    turned: bool = False

    @property
    def room(self) -> float:
        """Total size of all lanes, in pixels."""
        return self.n_lanes * self.lane_px


def _max_mistakes(counts: NDArray[np.int64]) -> int:
    return max(1, int((counts - np.diag(counts.diagonal())).max()))


def _rgb(colour: str) -> NDArray[np.int64]:
    return np.array([QColor(colour).red(), QColor(colour).green(), QColor(colour).blue()])
