"""Feature map of images: nearby images have similar features in the last hidden layer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.evaluation.assessment import Assessment
from digitpad.evaluation.feature_map import FeatureMap
from digitpad.gui.evaluate.image_atlas import ImageAtlas
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_percent
from digitpad.plotting.palette import DIGIT_COLOURS, class_colours

_RADIUS_PX = 2.2
_REACH_PX = 14  # maximum distance between the pointer and the image that it shows
_ZOOM_STEP = 1.25
_MOST_ZOOM = 200
_TILE_PX = 84
_KEY_PX = 27
_MAX_NAME_PX = 84  # in the legend
_MANY_WRONG = 300


class MapView(QWidget):
    """Scatter plot of images. The wheel, + and − zoom; dragging and the arrow keys move the map.

    The image under the pointer is shown enlarged; with the keyboard, the image nearest to the centre. Up to ten classes
    have a legend of colours. More classes have similar colours, so that each name is shown at its position.
    """

    opened = Signal(int)  # index of an image

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._map: FeatureMap | None = None
        self._assessment: Assessment | None = None
        self._atlas: ImageAtlas | None = None
        self.drawing_point: tuple[float, float] | None = None
        self._middle, self._zoom = np.zeros(2), 1.0
        self._fit = 1.0  # pixels per unit of the map at zoom 1
        self._points_image: QImage | None = None
        self._middles: dict[int, NDArray[np.float64]] = {}  # positions of class names; empty if there is a legend
        self._shown: int | None = None  # index of the enlarged image
        self._pressed: QPointF | None = None
        self._dragged = False
        self.setObjectName("map")
        self.setAccessibleName("Map")
        set_accessible_role(self, Role.Chart)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._redraw)

    def set_map(self, places: FeatureMap, made: Assessment, sheet: ImageAtlas) -> None:
        """Show the images of an assessment at their positions."""
        self._map, self._assessment, self._atlas = places, made, sheet
        self._shown = None
        labels = made.digits.labels[: len(places.points)]
        few = len(made.class_names) <= len(DIGIT_COLOURS)
        classes = [] if few else np.unique(labels).tolist()
        self._middles = {label: np.median(places.points[labels == label], axis=0) for label in classes}
        self.reset()

    def set_pad(self, place: tuple[float, float] | None) -> None:
        """Set the position of the drawing on the pad, or None."""
        self.drawing_point = place
        self.update()

    @property
    def shown(self) -> int | None:
        """Index of the enlarged image."""
        return self._shown

    @property
    def zoom(self) -> float:
        """Magnification; 1 shows the whole map."""
        return self._zoom

    def reset(self) -> None:
        """Show the whole map."""
        if self._map is None:
            return
        points = self._map.points
        low, high = points.min(axis=0), points.max(axis=0)
        self._middle = (low + high) / 2
        extent = np.maximum(high - low, 1e-9)
        self._fit = float(min(np.array([self.width() - 48, self.height() - 72]) / extent)) if self.width() > 60 else 1.0
        self._zoom = 1.0
        self._redraw()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom by a factor around a fixed point, by default the centre."""
        at = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        before = self._to_map(at)
        self._zoom = min(max(self._zoom * factor, 0.5), _MOST_ZOOM)
        self._middle += before - self._to_map(at)
        self._redraw()

    def to_window(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert map points to widget coordinates, both of shape (n, 2); the second axis of the map points up."""
        return (points - self._middle) * (self._fit * self._zoom, -self._fit * self._zoom) + (
            self.width() / 2,
            self.height() / 2 + 12,
        )

    def _to_map(self, at: QPointF) -> NDArray[np.float64]:
        offset = np.array([at.x() - self.width() / 2, self.height() / 2 + 12 - at.y()])
        return self._middle + offset / (self._fit * self._zoom)

    def _redraw(self) -> None:
        self._points_image = None
        self.update()

    def _show_nearest(self, at: QPointF, reach_px: float) -> None:
        if self._map is None or self._assessment is None or not len(self._map.points):
            return
        distances = np.hypot(*(self.to_window(self._map.points) - (at.x(), at.y())).T)
        nearest = int(distances.argmin())
        shown = nearest if distances[nearest] <= reach_px else None
        if shown != self._shown:
            self._shown = shown
            self.setAccessibleDescription(self._describe(shown))
            self.update()

    def _describe(self, place: int | None) -> str:
        if place is None or self._assessment is None:
            return ""
        names = self._assessment.class_names
        label, read_as = names[self._assessment.digits.labels[place]], names[self._assessment.predicted[place]]
        confidence = format_percent(float(self._assessment.confidences[place]))
        return f"{label} · {confidence}" if label == read_as else f"{label} → {read_as} · {confidence}"

    def _paint_points(self) -> QImage:
        """Paint all points at once with NumPy.

        The rims of the discs are painted first and blended with the background, so that discs look round.
        """
        assert self._map is not None
        assert self._assessment is not None
        scale = self.devicePixelRatioF()
        width, height = round(self.width() * scale), round(self.height() * scale)
        ground = _rgb(self._theme.tokens.card)
        pixels = np.full(height * width, _packed(np.array([ground]))[0], np.uint32)
        colours = np.array([_rgb(colour) for colour in class_colours(len(self._assessment.class_names))])
        centres = np.rint(self.to_window(self._map.points) * scale).astype(int)
        labels = self._assessment.digits.labels[: len(centres)]
        radius = _RADIUS_PX * scale * min(2.0, self._zoom**0.3)
        reach = int(radius) + 1
        inside = ((centres >= reach) & (centres < (width - reach, height - reach))).all(axis=1)
        pixel_indices, labels = centres[inside] @ (1, width), labels[inside]
        offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2), axis=-1).reshape(-1, 2)
        cover = np.clip(radius + 0.5 - np.hypot(*offsets.T), 0, 1)
        for step, share in sorted(zip(offsets @ (1, width), cover, strict=True), key=lambda pair: float(pair[1])):
            if share > 0:
                pixels[pixel_indices + step] = _packed(colours * share + np.array(ground) * (1 - share))[labels]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()
        image.setDevicePixelRatio(scale)
        return image

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(800, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(320, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(_ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed, self._dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            self._show_nearest(event.position(), _REACH_PX)
            return
        if not self._dragged and (event.position() - self._pressed).manhattanLength() < 4:
            return
        self._dragged = True
        self._middle += self._to_map(self._pressed) - self._to_map(event.position())
        self._pressed = event.position()
        self._redraw()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if not self._dragged:
            self._show_nearest(event.position(), _REACH_PX)
            if self._shown is not None:
                self.opened.emit(self._shown)
        self._pressed = None

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._shown = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1),
        }  # fmt: skip
        key = Qt.Key(event.key())
        if key in steps:
            self._middle += np.array(steps[key]) * 0.1 * self.height() / (self._fit * self._zoom)
            self._redraw()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.reset()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._shown is not None:
                self.opened.emit(self._shown)
            return
        else:
            super().keyPressEvent(event)
            return
        self._show_nearest(QPointF(self.width() / 2, self.height() / 2), 1e9)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._map is None or self._assessment is None:
            return
        if self._points_image is None:
            self._points_image = self._paint_points()
        painter = QPainter(self)
        painter.drawImage(0, 0, self._points_image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        self._paint_wrong(painter)
        self._paint_names(painter)
        self._paint_legend(painter)
        if self.drawing_point is not None:
            (x, y), *_ = self.to_window(np.array([self.drawing_point])).tolist()
            painter.setPen(QPen(QColor(tokens.card), 6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(x, y), 8, 8)
            painter.setPen(QPen(QColor(tokens.text), 2.5))
            painter.drawEllipse(QPointF(x, y), 8, 8)
            painter.drawPoint(QPointF(x, y))
            self._paint_words(painter, QPointF(x + 15, y), "your drawing")
        if self._shown is not None:
            self._paint_enlarged(painter, self._shown)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 7, 7)
        painter.end()

    def _paint_wrong(self, painter: QPainter) -> None:
        assert self._map is not None
        assert self._assessment is not None
        wrong = self._assessment.mistakes[self._assessment.mistakes < len(self._map.points)][:2000]
        colour = QColor(self._theme.tokens.text)
        colour.setAlphaF(min(1.0, (_MANY_WRONG / max(1, len(wrong))) ** 0.5))  # many rings would hide all points
        painter.setPen(QPen(colour, 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x, y in self.to_window(self._map.points[wrong]).tolist():
            if 0 <= x <= self.width() and 0 <= y <= self.height():
                painter.drawEllipse(QPointF(x, y), 5, 5)

    def _paint_legend(self, painter: QPainter) -> None:
        """Paint the legend at the upper edge."""
        assert self._assessment is not None
        tokens, names = self._theme.tokens, self._assessment.class_names
        ground = QColor(tokens.card)
        ground.setAlphaF(0.88)  # a zoomed map has points under the legend
        painter.fillRect(QRectF(1, 1, self.width() - 2, _KEY_PX), ground)
        x = 14.0
        for name, colour in zip(names, class_colours(len(names)), strict=True) if not self._middles else ():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            painter.drawEllipse(QPointF(x, 14), 4, 4)
            painter.setPen(QColor(tokens.soft))
            elided = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _MAX_NAME_PX)
            painter.drawText(QPointF(x + 8, 19), elided)
            x += 24 + painter.fontMetrics().horizontalAdvance(elided)
        painter.setPen(QPen(QColor(tokens.text), 1.2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x + 4, 14), 5, 5)
        painter.setPen(QColor(tokens.soft))
        painter.drawText(QPointF(x + 14, 19), "wrong prediction")

    def _paint_names(self, painter: QPainter) -> None:
        """Paint the outlined name of each class at its median position, if there are many classes."""
        if not self._middles or self._assessment is None:
            return
        names = self._assessment.class_names
        font = painter.font()
        font.setBold(True)
        font.setPixelSize(15)
        colours = class_colours(len(names))
        for label, (x, y) in zip(self._middles, self.to_window(np.array([*self._middles.values()])), strict=True):
            path = QPainterPath()
            path.addText(x - QFontMetricsF(font).horizontalAdvance(names[label]) / 2, y + 5, font, names[label])
            painter.strokePath(path, QPen(QColor(self._theme.tokens.card), 3.5))
            painter.fillPath(path, QColor(colours[label]))

    def _paint_words(self, painter: QPainter, at: QPointF, words: str) -> None:
        """Paint a text on its own background, to keep it readable over points."""
        width = painter.fontMetrics().horizontalAdvance(words) + 12
        frame = QRectF(at.x(), at.y() - 10, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.card))
        painter.drawRoundedRect(frame, 6, 6)
        painter.setPen(QColor(self._theme.tokens.text))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_enlarged(self, painter: QPainter, place: int) -> None:
        assert self._map is not None
        assert self._atlas is not None
        tokens = self._theme.tokens
        (x, y), *_ = self.to_window(self._map.points[place : place + 1]).tolist()
        painter.setPen(QPen(QColor(tokens.accent), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(x, y), 7, 7)
        text = self._describe(place)
        width = max(_TILE_PX + 36, painter.fontMetrics().horizontalAdvance(text) + 20)
        height = _TILE_PX + 34
        left = x + 16 if x + 16 + width < self.width() else x - 16 - width
        top = min(max(y - height / 2, 4), self.height() - height - 4)
        frame = QRectF(left, top, width, height)
        painter.setPen(QPen(QColor(tokens.hairline), 1))
        painter.setBrush(QColor(tokens.card))
        painter.drawRoundedRect(frame, 8, 8)
        self._atlas.paint(painter, QRectF(left + (width - _TILE_PX) / 2, top + 8, _TILE_PX, _TILE_PX), place)
        painter.setPen(QColor(tokens.text))
        words = QRectF(left, top + _TILE_PX + 10, width, 20)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)


def _rgb(colour: str) -> tuple[int, int, int]:
    return QColor(colour).red(), QColor(colour).green(), QColor(colour).blue()


def _packed(colours: NDArray[Any]) -> NDArray[np.uint32]:
    """Convert colours of shape (n, 3) to the pixel values of Qt's 32-bit images."""
    red, green, blue = colours.astype(np.uint32).T
    return 0xFF000000 | red << 16 | green << 8 | blue
