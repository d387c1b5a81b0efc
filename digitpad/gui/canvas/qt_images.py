"""Conversion between Qt images and arrays."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter

from digitpad.errors import InkError, reason
from digitpad.gui.canvas.ink_painter import paint_drawing
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX
from digitpad.system.atomic_write import write_atomically


def to_rgba(image: QImage) -> NDArray[np.uint8]:
    """Return a copy of the pixels of an image, uint8 of shape (height, width, 4)."""
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()  # Qt may pad rows


def from_grey(pixels: NDArray[np.uint8]) -> QImage:
    """Return an image of grey levels of shape (height, width)."""
    height, width = pixels.shape
    return QImage(pixels.tobytes(), width, height, width, QImage.Format.Format_Grayscale8).copy()


def inked(pixels: NDArray[np.uint8], paper: QColor, ink: QColor) -> QImage:
    """Return an image of grey levels of shape (height, width), with 0 in the paper colour and 255 in the ink colour."""
    ends = np.array([[colour.red(), colour.green(), colour.blue()] for colour in (paper, ink)], np.float32)
    levels = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    colours = (ends[0] + levels * (ends[1] - ends[0]) + 0.5).astype(np.uint8)
    height, width = pixels.shape
    return QImage(colours[pixels].tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def picture_of(drawing: Drawing) -> QImage:
    """Return the drawing in black on white, the form in which it is copied and saved; a wide one in a wide image."""
    area = QRect(0, 0, CANVAS_PX, CANVAS_PX)
    for stroke in drawing.strokes:
        (left, top), (right, bottom) = stroke.points.min(axis=0).tolist(), stroke.points.max(axis=0).tolist()
        if left < 0 or top < 0 or right > CANVAS_PX or bottom > CANVAS_PX:
            margin = stroke.width_px
            ink = QRectF(left, top, right - left, bottom - top).adjusted(-margin, -margin, margin, margin)
            area = area.united(ink.toAlignedRect())
    image = QImage(area.size(), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.translate(-area.topLeft())
    paint_drawing(painter, drawing, QColor(Qt.GlobalColor.black))
    painter.end()
    return image


def save_picture(drawing: Drawing, path: Path) -> None:
    """Write the drawing to an image file atomically, in the format of its suffix.

    Raises
    ------
    InkError
        If the suffix is not an image format, or the file cannot be written. An existing file then stays unchanged.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(path.suffix.removeprefix(".").lower().encode()))
    if not writer.write(picture_of(drawing)):
        raise InkError(path, f"cannot be written as an image ({writer.errorString()})")
    try:
        write_atomically(path, bytes(buffer.data().data()))
    except OSError as error:
        raise InkError(path, f"cannot be written ({reason(error)})") from error
