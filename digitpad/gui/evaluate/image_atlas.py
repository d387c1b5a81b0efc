"""Thousands of digits in one image, so that painting a digit does not create an image for it."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

SIDE = 28


class ImageAtlas:
    """Digits in rows and columns of one image. Create it in any thread, and paint from it in the GUI thread.

    There are as many columns as rows, because Qt cannot paint from positions beyond 32,767 pixels. This allows about a
    million digits.
    """

    def __init__(self, images: NDArray[np.uint8]) -> None:
        n = len(images)
        self._columns = math.isqrt(max(n - 1, 0)) + 1
        full = np.zeros((self._columns**2, SIDE, SIDE), np.uint8)
        full[:n] = images
        self._pixels = np.ascontiguousarray(full.reshape(self._columns, self._columns, SIDE, SIDE).swapaxes(1, 2))
        side = self._columns * SIDE  # a multiple of 4, which Qt requires for each row of bytes
        self._image = QImage(self._pixels.data, side, side, side, QImage.Format.Format_Grayscale8)

    def paint(self, painter: QPainter, target: QRectF, index: int) -> None:
        """Paint one digit, white on black."""
        row, column = divmod(index, self._columns)
        painter.drawImage(target, self._image, QRectF(column * SIDE, row * SIDE, SIDE, SIDE))
