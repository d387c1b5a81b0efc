"""View of the pad: which part of the canvas its widget shows, and how large."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX

_MARGIN_PX = 24.0
_ROUNDING_PX = 0.5
_MIDDLE = CANVAS_PX / 2


@dataclass(frozen=True)
class PadView:
    """Map from the canvas to the widget; the middle of the canvas is the middle of the widget.

    Attributes
    ----------
    width, height : float
        Size of the widget in pixels.
    scale : float
        Pixels of the widget per canvas pixel.
    """

    width: float
    height: float
    scale: float

    @classmethod
    def fit(cls, width: float, height: float, drawing: Drawing) -> "PadView":
        """Return the view that shows the whole square canvas, and all ink beside it, as large as possible."""
        width, height = max(1.0, width), max(1.0, height)
        scale = min(width, height) / CANVAS_PX
        reach = _reach(drawing)
        for extent, side in zip(reach, (width, height), strict=True):
            if extent > side / (2 * scale) + _ROUNDING_PX:
                scale = side / (2 * (extent + _MARGIN_PX))
        return cls(width, height, scale)

    @property
    def transform(self) -> QTransform:
        """The map from canvas pixels to pixels of the widget."""
        x, y = self.width / 2 - _MIDDLE * self.scale, self.height / 2 - _MIDDLE * self.scale
        return QTransform(self.scale, 0, 0, self.scale, x, y)

    def to_widget(self, point: QPointF) -> QPointF:
        """Return where a canvas point is in the widget."""
        return self.transform.map(point)

    def rect_to_widget(self, rect: QRectF) -> QRectF:
        """Return where a rectangle of the canvas is in the widget."""
        return QRectF(self.to_widget(rect.topLeft()), QSizeF(rect.width() * self.scale, rect.height() * self.scale))

    def to_canvas(self, position: QPointF) -> QPointF:
        """Return the canvas point at a position in the widget."""
        x, y = (position.x() - self.width / 2) / self.scale, (position.y() - self.height / 2) / self.scale
        return QPointF(x + _MIDDLE, y + _MIDDLE)

    def clipped(self, point: QPointF) -> QPointF:
        """Return the nearest canvas point that is visible."""
        half_width, half_height = self.width / (2 * self.scale), self.height / (2 * self.scale)
        x = min(max(point.x(), _MIDDLE - half_width), _MIDDLE + half_width)
        y = min(max(point.y(), _MIDDLE - half_height), _MIDDLE + half_height)
        return QPointF(x, y)


def _reach(drawing: Drawing) -> tuple[float, float]:
    """Return how far strokes reach from the middle of the canvas, in x and in y."""
    reach = np.zeros(2)
    for stroke in drawing.strokes:
        reach = np.maximum(reach, np.abs(stroke.points - _MIDDLE).max(axis=0))
    return float(reach[0]), float(reach[1])
