"""Painting of ink: round pens, smooth curves, and pen pressure."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke

SMOOTH_WITHIN_PX = 30
"""Maximum distance between points that are joined by a curve; points further apart form a corner."""


def paint_drawing(painter: QPainter, drawing: Drawing, colour: QColor) -> None:
    """Paint a drawing in canvas pixels; scale the painter for another size."""
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
    """Paint a stroke: with constant width along a smooth curve, or piece by piece if pressure changes the width."""
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
    """Return a path through the points.

    Points far apart are joined by lines. Otherwise the path is made of quadratic Bézier curves between the midpoints of
    neighbours, with the points as control points.
    """
    path = QPainterPath(points[0])
    for before, point, after in zip(points[:-2], points[1:-1], points[2:], strict=True):
        if max((point - before).manhattanLength(), (after - point).manhattanLength()) > SMOOTH_WITHIN_PX:
            path.lineTo(point)
        else:
            path.quadTo(point, (point + after) / 2)
    path.lineTo(points[-1])
    return path
