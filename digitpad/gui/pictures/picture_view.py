"""Picture with the ink that was found in it, the digits that were read, and a crop that the user drags."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.finding import FoundInk
from digitpad.plotting.palette import readable_on
from digitpad.recognition.reading import Item

MIN_CROP_PX = 8
"""Smallest side of a crop in pixels of the widget; a smaller one is a click."""

_KEY_STEP = 1 / 20  # of the picture
_HIGHLIGHT = 0.6  # opacity of found ink
_SHADE = QColor(0, 0, 0, 130)
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class PictureView(QWidget):
    """Picture as large as fits. Places are in pixels of the picture."""

    crop_changed = Signal()  # the user chose another crop

    def __init__(self, theme: Theme, picture: QImage) -> None:
        super().__init__()
        self.setObjectName("picture")
        self.setAccessibleName("Picture")
        self.setAccessibleDescription(
            "Drag over the picture to crop it. The arrow keys move the crop; with Shift they resize it."
        )
        set_accessible_role(self, Role.Graphic)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._theme = theme
        self._picture = picture
        self._scaled: QPixmap | None = None
        self._ink: QImage | None = None
        self._ink_area = QRectF()
        self._items: tuple[Item, ...] = ()
        self._origin = QPointF()
        self.crop = self.whole
        self._dragged_from: QPointF | None = None
        self._before = self.crop
        theme.changed.connect(self.update)

    @property
    def whole(self) -> QRect:
        """The whole picture."""
        return self._picture.rect()

    @property
    def is_cropped(self) -> bool:
        """Whether only a part of the picture is chosen."""
        return self.crop != self.whole

    def set_crop(self, crop: QRect) -> None:
        """Choose a part of the picture; what was found is hidden until the part was read."""
        crop = crop.intersected(self.whole)
        if crop != self.crop and not crop.isEmpty():
            self.crop = crop
            self._ink, self._items = None, ()
            self.update()
            self.crop_changed.emit()

    def show_found(self, found: FoundInk, items: Sequence[Item]) -> None:
        """Show the ink and the digits that were found in the crop."""
        height, width = found.ink.shape
        colour = QColor(self._theme.tokens.second)
        ink = np.empty((height, width, 4), np.uint8)
        ink[..., :3] = (colour.red(), colour.green(), colour.blue())
        ink[..., 3] = np.rint(found.ink * (255 * _HIGHLIGHT))
        self._ink = QImage(ink.tobytes(), width, height, QImage.Format.Format_RGBA8888).copy()
        self._origin = QPointF(self.crop.topLeft())
        corner = self._origin + QPointF(found.x, found.y)
        self._ink_area = QRectF(corner, QSizeF(width * found.scale, height * found.scale))
        self._items = tuple(items)
        self.update()

    # Places.

    @property
    def _area(self) -> QRectF:
        """Where the picture is in the widget."""
        size = QSizeF(self._picture.size()).scaled(QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF(QPointF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2), size)

    @property
    def _zoom(self) -> float:
        """Pixels of the widget per pixel of the picture."""
        return self._area.width() / max(1, self._picture.width())

    def to_widget(self, rect: QRectF) -> QRectF:
        """Return where a rectangle of the picture is in the widget."""
        return QRectF(self._area.topLeft() + rect.topLeft() * self._zoom, rect.size() * self._zoom)

    def _to_picture(self, position: QPointF) -> QPointF:
        return (position - self._area.topLeft()) / self._zoom

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        area = self._area
        painter.fillRect(area, Qt.GlobalColor.white)  # behind transparent pixels
        painter.drawPixmap(area.topLeft(), self._scaled_picture())
        if self._ink is not None:
            painter.drawImage(self.to_widget(self._ink_area), self._ink)
        self._paint_items(painter)
        self._paint_crop(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 1))
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _scaled_picture(self) -> QPixmap:
        """Return the picture in the size of the widget, which is made once per size."""
        size, ratio = self._area.size(), self.devicePixelRatioF()
        wanted = (size * ratio).toSize()
        if self._scaled is None or self._scaled.size() != wanted:
            keep, smooth = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            self._scaled = QPixmap.fromImage(self._picture.scaled(wanted, keep, smooth))
            self._scaled.setDevicePixelRatio(ratio)
        return self._scaled

    def _paint_items(self, painter: QPainter) -> None:
        """Paint a box around each digit, with the digit above it; a dashed box is not sure."""
        tokens = self._theme.tokens
        height = QFontMetricsF(self.font()).height() + 2
        for item in self._items:
            colour = QColor(tokens.accent if item.sure else tokens.bad)
            painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine if item.sure else Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            box = self.to_widget(QRectF(*item.box).translated(self._origin)).adjusted(-3, -3, 3, 3)
            painter.drawRoundedRect(box, 3, 3)
            label = QRectF(box.left(), max(0.0, box.top() - height), height, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(label, 3, 3)
            painter.setPen(QColor(readable_on(colour.name())))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, item.text)

    def _paint_crop(self, painter: QPainter) -> None:
        """Darken what is outside the crop."""
        if not self.is_cropped:
            return
        area, crop = self._area, self.to_widget(QRectF(self.crop))
        for outside in (
            QRectF(area.left(), area.top(), area.width(), crop.top() - area.top()),
            QRectF(area.left(), crop.bottom(), area.width(), area.bottom() - crop.bottom()),
            QRectF(area.left(), crop.top(), crop.left() - area.left(), crop.height()),
            QRectF(crop.right(), crop.top(), area.right() - crop.right(), crop.height()),
        ):
            painter.fillRect(outside, _SHADE)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self._theme.tokens.accent), 2))
        painter.drawRect(crop)

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(scaled(640), scaled(420))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(240), scaled(160))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from, self._before = event.position(), self.crop

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged_from is not None:
            self.crop = self._dragged_crop(event.position())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._dragged_from is not None:
            crop = self._dragged_crop(event.position())
            self._dragged_from, self.crop = None, self._before
            self.set_crop(crop)
            self.update()

    def _dragged_crop(self, to: QPointF) -> QRect:
        """Return the rectangle that was dragged; a click leaves the crop as it was."""
        assert self._dragged_from is not None
        dragged = QRectF(self._dragged_from, to).normalized()
        if min(dragged.width(), dragged.height()) < MIN_CROP_PX:
            return self._before
        corners = QRectF(self._to_picture(dragged.topLeft()), self._to_picture(dragged.bottomRight()))
        crop = corners.toAlignedRect().intersected(self.whole)
        return self._before if crop.isEmpty() else crop

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in _ARROWS:
            super().keyPressEvent(event)
            return
        whole, crop = self.whole, self.crop
        step = max(1, round(_KEY_STEP * max(whole.width(), whole.height())))
        dx, dy = (step * direction for direction in _ARROWS[Qt.Key(event.key())])
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            size = QSize(max(step, crop.width() + dx), max(step, crop.height() + dy))
            self.set_crop(QRect(crop.topLeft(), size))
        else:
            left = min(max(crop.left() + dx, 0), whole.width() - crop.width())
            top = min(max(crop.top() + dy, 0), whole.height() - crop.height())
            self.set_crop(QRect(left, top, crop.width(), crop.height()))
