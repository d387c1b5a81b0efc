"""Simple plots, bars, tables and pixel images for the pictures of terms, painted with Qt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from digitpad.gui.canvas.qt_images import inked
from digitpad.nn.arrays import Floats
from digitpad.plotting.palette import Palette, blend

_GAP = 8.0
_CENTRE = Qt.AlignmentFlag.AlignCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


Numbers = Sequence[float] | Floats | NDArray[np.int_]


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Attributes
    ----------
    x, y : array-like
    colour : str
    label : str
        Written at its end.
    width : float
        In pixels, at the normal size of the text.
    """

    x: Numbers
    y: Numbers
    colour: str
    label: str = ""
    width: float = 2.0


class Canvas:
    """Paints into a rectangle, in the colours of a theme.

    Parameters
    ----------
    painter : QPainter
    area : QRectF
    tokens : Palette
    text_px : float
        Height of small text.
    """

    def __init__(self, painter: QPainter, area: QRectF, tokens: Palette, text_px: float) -> None:
        self.painter, self.area, self.tokens, self._text_px = painter, area, tokens, text_px
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(painter.font())
        font.setPixelSize(round(text_px))
        painter.setFont(font)

    @property
    def line_px(self) -> float:
        """Height of a line of text."""
        return QFontMetricsF(self.painter.font()).height()

    def part(self, left: float, top: float, right: float, bottom: float) -> "Canvas":
        """Return a part of the canvas, given as shares of its width and height."""
        a = self.area
        rect = QRectF(a.left() + left * a.width(), a.top() + top * a.height(), 0, 0)
        rect.setRight(a.left() + right * a.width())
        rect.setBottom(a.top() + bottom * a.height())
        return Canvas(self.painter, rect, self.tokens, self._text_px)

    def columns(self, n: int) -> list["Canvas"]:
        """Return n parts beside each other, with gaps."""
        gap = 0.04
        width = (1 - gap * (n - 1)) / n
        return [self.part(i * (width + gap), 0, i * (width + gap) + width, 1) for i in range(n)]

    def text(self, text: str, colour: str = "", area: QRectF | None = None, flags: Qt.AlignmentFlag = _CENTRE) -> None:
        """Write a text into an area; by default in the middle of the canvas."""
        self.painter.setPen(QColor(colour or self.tokens.soft))
        self.painter.drawText(area or self.area, flags | Qt.TextFlag.TextWordWrap, text)

    def captioned(self, text: str) -> "Canvas":
        """Write a caption at the bottom, and return the canvas above it."""
        a, height = self.area, self.line_px + 2
        self.text(text, area=QRectF(a.left(), a.bottom() - height, a.width(), height))
        return Canvas(self.painter, a.adjusted(0, 0, 0, -height - 2), self.tokens, self._text_px)

    # Plots.

    def plot(
        self,
        lines: Sequence[Line],
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        labels: tuple[str, str] = ("", ""),
    ) -> "Axes":
        """Draw axes with their labels, and lines; return the axes."""
        below = self.captioned(labels[0]) if labels[0] else self
        area = below.area
        if labels[1]:
            self.text(labels[1], area=QRectF(area.left(), area.top(), area.width(), self.line_px), flags=_LEFT)
            area = area.adjusted(0, self.line_px, 0, 0)
        longest = max((QFontMetricsF(self.painter.font()).horizontalAdvance(line.label) for line in lines), default=0)
        axes = Axes(self, area.adjusted(2, 4, -(longest + _GAP if longest else 4), -2), x_range, y_range)
        axes.frame()
        for line in lines:
            axes.line(line)
        axes.label(lines)
        return axes

    def bars(
        self, values: Sequence[float], names: Sequence[str], *, marked: int = -1, most: float = 0.0, colour: str = ""
    ) -> None:
        """Draw upright bars with a name under each; one is marked. Negative values hang below the axis."""
        tokens, low = self.tokens, min(0.0, *values)
        high = max(most, *values, 1e-9)
        area = self.area.adjusted(0, 2, 0, -self.line_px - 2)
        step = area.width() / len(values)
        zero = area.bottom() - area.height() * (0 - low) / (high - low)
        for i, (value, name) in enumerate(zip(values, names, strict=True)):
            left = area.left() + i * step
            tip = zero - area.height() * value / (high - low)
            bar = QRectF(QPointF(left + 0.18 * step, min(tip, zero)), QPointF(left + 0.82 * step, max(tip, zero, tip)))
            chosen = colour or (tokens.accent if i == marked or marked < 0 else tokens.faint)
            self.painter.fillRect(bar, QColor(chosen))
            below = QRectF(left, self.area.bottom() - self.line_px, step, self.line_px)
            self.text(name, tokens.text if i == marked else "", below)
        self.rule(zero)

    def rule(self, y: float) -> None:
        """Draw a thin horizontal line."""
        self.painter.setPen(QPen(QColor(self.tokens.border), 1))
        self.painter.drawLine(QPointF(self.area.left(), y), QPointF(self.area.right(), y))

    def dots(self, n_columns: int, colours: Sequence[str]) -> None:
        """Draw dots in rows."""
        n_rows = -(-len(colours) // n_columns)
        step = min(self.area.width() / n_columns, self.area.height() / n_rows)
        left = self.area.center().x() - step * n_columns / 2
        self.painter.setPen(Qt.PenStyle.NoPen)
        for i, colour in enumerate(colours):
            x, y = left + (i % n_columns + 0.5) * step, self.area.top() + (i // n_columns + 0.5) * step
            self.painter.setBrush(QColor(colour))
            self.painter.drawEllipse(QPointF(x, y), 0.36 * step, 0.36 * step)

    def arrow(self, begin: QPointF, end: QPointF, colour: str = "") -> None:
        """Draw an arrow."""
        self.painter.setPen(QPen(QColor(colour or self.tokens.accent), 2, c=Qt.PenCapStyle.RoundCap))
        self.painter.drawLine(begin, end)
        direction = end - begin
        length = max(1e-6, (direction.x() ** 2 + direction.y() ** 2) ** 0.5)
        along = direction * (6 / length)
        across = QPointF(-along.y(), along.x()) * 0.6
        self.painter.drawPolyline(QPolygonF([end - along + across, end, end - along - across]))

    def table(self, rows: Sequence[Sequence[str]], fills: dict[tuple[int, int], str]) -> None:
        """Draw a square table; ``fills`` has the colours of cells by row and column."""
        n_rows, n_columns = len(rows), len(rows[0])
        side = min(self.area.height() / n_rows, self.area.width() / n_columns, 2.4 * self.line_px)
        left = self.area.center().x() - side * n_columns / 2
        for r, row in enumerate(rows):
            for c, text in enumerate(row):
                cell = QRectF(left + c * side, self.area.top() + r * side, side, side)
                if (r, c) in fills:
                    self.painter.fillRect(cell.adjusted(1, 1, -1, -1), QColor(fills[r, c]))
                self.text(text, self.tokens.soft if 0 in (r, c) else self.tokens.text, cell)

    # Pixels.

    def image(self, pixels: NDArray[np.uint8], *, frame: bool = True) -> QRectF:
        """Draw grey pixels as ink on the pad, as large as fits; return their place."""
        picture = inked(pixels, QColor(self.tokens.pad), QColor(self.tokens.ink))
        return self._picture(picture, frame=frame)

    def signed_image(self, values: Floats) -> QRectF:
        """Draw numbers of both signs: one colour above zero, one below; return their place."""
        most = float(np.abs(values).max()) or 1.0
        share = np.clip(np.abs(values) / most, 0, 1)[..., None]
        ends = [[QColor(c).red(), QColor(c).green(), QColor(c).blue()] for c in self._signed_colours]
        paper, above, below = (np.array(end, np.float64) for end in ends)
        colours = np.where((values > 0)[..., None], above, below)
        rgb = np.ascontiguousarray(np.rint(paper + share * (colours - paper)).astype(np.uint8))
        height, width = values.shape
        return self._picture(QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy())

    @property
    def _signed_colours(self) -> tuple[str, str, str]:
        return self.tokens.pad, self.tokens.accent, self.tokens.second

    def _picture(self, picture: QImage, *, frame: bool = True) -> QRectF:
        side = min(self.area.width() / picture.width(), self.area.height() / picture.height())
        place = QRectF(0, 0, side * picture.width(), side * picture.height())
        place.moveCenter(self.area.center())
        self.painter.drawImage(place, picture)
        if frame:
            self.painter.setBrush(Qt.BrushStyle.NoBrush)
            self.painter.setPen(QPen(QColor(self.tokens.border), 1))
            self.painter.drawRect(place)
        return place


class Axes:
    """Plot area of a `Canvas`, with its scales."""

    def __init__(
        self, canvas: Canvas, area: QRectF, x_range: tuple[float, float], y_range: tuple[float, float]
    ) -> None:
        self._canvas, self.area, self._x, self._y = canvas, area, x_range, y_range

    def place(self, x: float, y: float) -> QPointF:
        """Return the place of a point; beyond the axes it is at their edge."""
        (x0, x1), (y0, y1) = self._x, self._y
        share_x, share_y = (x - x0) / (x1 - x0), (y - y0) / (y1 - y0)
        left, bottom = self.area.left(), self.area.bottom()
        return QPointF(
            left + min(max(share_x, 0), 1) * self.area.width(), bottom - min(max(share_y, 0), 1) * self.area.height()
        )

    def frame(self) -> None:
        """Draw the two axes."""
        painter = self._canvas.painter
        painter.setPen(QPen(QColor(self._canvas.tokens.border), 1))
        painter.drawPolyline(QPolygonF([self.area.topLeft(), self.area.bottomLeft(), self.area.bottomRight()]))

    def line(self, line: Line) -> None:
        """Draw a line."""
        pen = QPen(QColor(line.colour), line.width, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)
        self._canvas.painter.setPen(pen)
        points = [self.place(float(x), float(y)) for x, y in zip(line.x, line.y, strict=True)]
        self._canvas.painter.drawPolyline(QPolygonF(points))

    def label(self, lines: Sequence[Line]) -> None:
        """Write the labels of lines at their ends, apart from each other."""
        height = self._canvas.line_px
        ends = [(self.place(float(line.x[-1]), float(line.y[-1])).y(), line) for line in lines if line.label]
        ends.sort(key=lambda end: end[0])
        top = self.area.top() - height
        for y, line in ends:
            top = max(top + height, min(y - height / 2, self.area.bottom() - height))
            area = QRectF(self.area.right() + 5, top, self._canvas.area.right() - self.area.right() - 3, height)
            self._canvas.text(line.label, line.colour, area, _LEFT)

    def dot(self, x: float, y: float, colour: str = "") -> QPointF:
        """Draw a dot, and return its place."""
        painter = self._canvas.painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour or self._canvas.tokens.accent))
        place = self.place(x, y)
        painter.drawEllipse(place, 4, 4)
        return place

    def upright(self, x: float, colour: str = "") -> None:
        """Draw a dashed upright line."""
        pen = QPen(QColor(colour or self._canvas.tokens.soft), 1, Qt.PenStyle.DashLine)
        self._canvas.painter.setPen(pen)
        self._canvas.painter.drawLine(self.place(x, self._y[0]), self.place(x, self._y[1]))


def pale(tokens: Palette, colour: str, share: float = 0.3) -> str:
    """Return a colour laid thinly over the card."""
    return blend(tokens.card, colour, share)
