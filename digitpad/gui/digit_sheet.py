"""Thousands of digits as one image, from which each is painted without making an object of its own."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

SIDE = 28
_COLUMNS = 100


class DigitSheet:
    """Digits side by side, a hundred in a row; made in any thread, and painted from in the window's."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        n = len(images)
        n_rows = max(1, -(-n // _COLUMNS))
        full = np.zeros((n_rows * _COLUMNS, SIDE, SIDE), np.uint8)
        full[:n] = images
        self._pixels = np.ascontiguousarray(full.reshape(n_rows, _COLUMNS, SIDE, SIDE).swapaxes(1, 2))
        width, height = _COLUMNS * SIDE, n_rows * SIDE
        self._image = QImage(self._pixels.data, width, height, width, QImage.Format.Format_Grayscale8)

    def paint(self, painter: QPainter, target: QRectF, index: int) -> None:
        """Paint one digit, white on black."""
        row, column = divmod(index, _COLUMNS)
        painter.drawImage(target, self._image, QRectF(column * SIDE, row * SIDE, SIDE, SIDE))
