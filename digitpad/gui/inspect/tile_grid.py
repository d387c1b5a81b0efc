"""Grid of small images or numbers in equal squares, painted from one image, and the colour table for numbers."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from digitpad.nn.arrays import Floats
from digitpad.plotting.palette import Palette

MAX_TILE_PX = 96
MAX_CELL_PX = 28
MIN_CELL_PX = 4.0
ZERO = 128
"""Index of 0 in a colour table; 1 and 255 stand for the largest negative and positive numbers."""


ColourTable = NDArray[np.uint32]


def colour_table(tokens: Palette) -> ColourTable:
    """Return 256 colours, 0xffRRGGBB: from the theme's second colour over its ground, which means 0, to its accent."""
    below, zero, above = (
        np.array([colour.red(), colour.green(), colour.blue()])
        for colour in map(QColor, (tokens.second, tokens.ground, tokens.accent))
    )
    share = (np.arange(256) - ZERO)[:, None] / (255 - ZERO)
    # Most numbers are small: an exponent below 1 makes them easier to tell apart.
    colours = np.rint(zero + np.abs(share).clip(0, 1) ** 0.75 * (np.where(share < 0, below, above) - zero)).astype(int)
    return np.array([QColor(*colour).rgb() for colour in colours.tolist()], np.uint32)


def picture(values: Floats, largest: float, colours: ColourTable) -> QImage:
    """Return an image of numbers of shape (height, width); the strongest colours stand for ``largest``."""
    height, width = values.shape
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * ((255 - ZERO) / max(largest, 1e-30))
        scaled += ZERO + 0.5
        # NaN becomes the lowest level: it needs some colour, and none has a meaning.
        levels = np.fmin(np.fmax(scaled, 1), 255).astype(np.uint8)
    pixels = colours[levels]
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def largest_of(values: Floats) -> float:
    """Return the largest absolute value of the finite numbers, or 0 if there are none."""
    sizes = np.abs(values)
    largest = float(sizes.max(initial=0))
    return largest if math.isfinite(largest) else float(sizes[np.isfinite(sizes)].max(initial=0))


class TileGrid:
    """Grid of squares in a rectangle, as large as fit; if not all fit, the first ones.

    Parameters
    ----------
    n : int
        Number of squares.
    side : tuple of int, optional
        Height and width of the map in each square; None for one number in each square.
    room : QRectF
        Rectangle for the grid.
    """

    def __init__(self, n: int, side: tuple[int, int] | None, room: QRectF) -> None:
        self.side = side
        self.room = room
        most = MAX_CELL_PX if side is None else MAX_TILE_PX
        width, height = max(room.width(), 1.0), max(room.height(), 1.0)
        pitches = {k: min(width / k, height / math.ceil(n / k), most) for k in range(1, min(n, int(width)) + 1)}
        self.n_columns = max(pitches, key=lambda k: (round(pitches[k], 3), k))
        # A pitch of whole pixels gives all squares the same size.
        pitch = pitches[self.n_columns]
        self.pitch = max(float(math.floor(pitch)), MIN_CELL_PX)
        if pitch < MIN_CELL_PX:
            self.n_columns = max(1, int(width / MIN_CELL_PX))
        n_rows = max(1, int(height / self.pitch))
        self.n = min(n, self.n_columns * n_rows)
        self.n_rows = math.ceil(self.n / self.n_columns)
        used = QRectF(0, 0, min(self.n, self.n_columns) * self.pitch, self.n_rows * self.pitch)
        used.moveCenter(room.center())
        self.area = QRectF(round(used.left()), round(used.top()), used.width(), used.height())
        self.gap = 2.0 if side and self.pitch >= 14 else 1.0

    def rect(self, unit: int) -> QRectF:
        """Return the rectangle of a unit's square."""
        row, column = divmod(unit, self.n_columns)
        side = self.pitch - self.gap
        return QRectF(self.area.left() + column * self.pitch, self.area.top() + row * self.pitch, side, side)

    def place_rect(self, unit: int, row: int, column: int) -> QRectF:
        """Return the rectangle of a number in a map."""
        assert self.side is not None
        tile = self.rect(unit)
        height, width = tile.height() / self.side[0], tile.width() / self.side[1]
        return QRectF(tile.left() + column * width, tile.top() + row * height, width, height)

    def at(self, point: QPointF) -> tuple[int, int, int] | None:
        """Return the unit at a point and the row and column in its map, or None if there is no unit."""
        if not self.area.contains(point):
            return None
        column, row = (
            int((point.x() - self.area.left()) / self.pitch),
            int((point.y() - self.area.top()) / self.pitch),
        )
        unit = row * self.n_columns + column
        if column >= self.n_columns or unit >= self.n:
            return None
        height, width = self.side or (1, 1)
        tile = self.rect(unit)
        down, along = (point.y() - tile.top()) / tile.height(), (point.x() - tile.left()) / tile.width()
        return unit, min(int(down * height), height - 1), min(int(along * width), width - 1)

    def paint(self, painter: QPainter, values: Floats, largest: float, colours: ColourTable, ground: QColor) -> None:
        """Paint numbers of shape (n, height, width) or (n,); the strongest colours stand for ``largest``."""
        # If a map is larger than its square, smooth scaling takes every number into account.
        shrinks = self.side is not None and self.pitch - self.gap < max(self.side)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, shrinks)
        if self.side is None:
            self._paint_cells(painter, values, largest, colours, ground)
            return
        height, width = self.side
        image = picture(values[: self.n].reshape(-1, width), largest, colours)
        for unit in range(self.n):
            painter.drawImage(self.rect(unit), image, QRectF(0, unit * height, width, height))

    def _paint_cells(
        self, painter: QPainter, values: Floats, largest: float, colours: ColourTable, ground: QColor
    ) -> None:
        """Paint all cells as one image with lines over it; hundreds of separate cells would take a whole frame."""
        cells = np.zeros(self.n_rows * self.n_columns, values.dtype)
        cells[: self.n] = values[: self.n]
        painter.drawImage(self.area, picture(cells.reshape(self.n_rows, self.n_columns), largest, colours))
        painter.setPen(QPen(ground, self.gap))
        half = self.gap / 2
        for column in range(1, self.n_columns + 1):
            x = self.area.left() + column * self.pitch - half
            painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))
        for row in range(1, self.n_rows + 1):
            y = self.area.top() + row * self.pitch - half
            painter.drawLine(QPointF(self.area.left(), y), QPointF(self.area.right(), y))
        if self.n < len(cells):
            left = self.rect(self.n).left()
            painter.fillRect(QRectF(left, self.rect(self.n).top(), self.area.right() - left, self.pitch), ground)

    def neighbour(self, unit: int, key: Qt.Key) -> int | None:
        """Return the neighbour of a unit in the direction of an arrow key, or None beyond the edge."""
        row, column = divmod(unit, self.n_columns)
        column += {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        row += {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(key, 0)
        neighbour = row * self.n_columns + column
        return neighbour if 0 <= column < self.n_columns and row >= 0 and 0 <= neighbour < self.n else None

    def units(self) -> Iterator[int]:
        """Return an iterator over the units in the grid."""
        return iter(range(self.n))
