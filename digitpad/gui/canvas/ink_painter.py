"""How ink looks: round pens, smooth curves, and pressure where the pen feels it."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke

SMOOTH_WITHIN_PX = 30
"""Points of a moving hand lie closer than this; further apart, a corner is meant."""


def paint_drawing(painter: QPainter, drawing: Drawing, colour: QColor) -> None:
    """Paint in canvas pixels; who wants another size scales the painter."""
    if drawing.image is not None:
        side = len(drawing.image)
        ink = np.empty((side, side, 4), np.uint8)
        ink[..., :3] = (colour.red(), colour.green(), colour.blue())
        ink[..., 3] = drawing.image
        image = QImage(ink.tobytes(), side, side, QImage.Format.Format_RGBA8888)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, 0, CANVAS_PX, CANVAS_PX), image)
    for stroke in drawing.strokes:
        paint_stroke(painter, stroke, colour)


def paint_stroke(painter: QPainter, stroke: Stroke, colour: QColor) -> None:
    """Paint one stroke: of one width along a smooth curve, or piece by piece where pressure changes it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(colour, stroke.width_px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    points = [QPointF(x, y) for x, y in stroke.points.tolist()]
    if len(points) == 1:
        painter.setPen(pen)
        painter.drawPoint(points[0])
    elif stroke.pressures is None:
        painter.strokePath(_curve(points), pen)
    else:
        for start, end, pressure in zip(points[:-1], points[1:], stroke.pressures[1:].tolist(), strict=True):
            pen.setWidthF(stroke.width_px * (0.4 + 0.9 * pressure))
            painter.setPen(pen)
            painter.drawLine(start, end)


def _curve(points: list[QPointF]) -> QPainterPath:
    """Straight where points are far apart; else through the middles between neighbours, with the points as handles."""
    path = QPainterPath(points[0])
    for before, point, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        if max((point - before).manhattanLength(), (after - point).manhattanLength()) > SMOOTH_WITHIN_PX:
            path.lineTo(point)
        else:
            path.quadTo(point, (point + after) / 2)
    path.lineTo(points[-1])
    return path
