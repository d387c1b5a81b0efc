import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.qt_images import to_rgba
from digitpad.gui.evaluate.image_atlas import ImageAtlas


@pytest.mark.parametrize("n", [1, 2, 9, 10, 150])
def test_digits_are_painted_unscaled(qtbot: QtBot, n: int) -> None:
    """The first, middle and last digit are painted pixel by pixel at their original size."""
    images = np.random.default_rng(n).integers(0, 256, (n, 28, 28), np.uint8)
    sheet = ImageAtlas(images)
    for index in {0, n // 2, n - 1}:
        canvas = QImage(28, 28, QImage.Format.Format_RGB32)
        painter = QPainter(canvas)
        sheet.paint(painter, QRectF(0, 0, 28, 28), index)
        painter.end()
        np.testing.assert_array_equal(to_rgba(canvas)[..., 0], images[index])
