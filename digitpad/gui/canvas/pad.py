"""Drawing pad: a canvas for mouse, pen, finger or keyboard. It handles strokes and does not use a network."""

# Longer than 400 lines: mouse, pen, finger and keys draw into one unfinished stroke, over one painting.

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QHideEvent,
    QImage,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPointingDevice,
    QResizeEvent,
    QTabletEvent,
    QTouchEvent,
    QUndoCommand,
    QUndoStack,
)
from PySide6.QtWidgets import QWidget

from digitpad.gui.canvas.ink_painter import paint_drawing, paint_stroke
from digitpad.gui.canvas.pad_view import PadView
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke
from digitpad.nn.arrays import Floats
from digitpad.plotting.palette import readable_on

if TYPE_CHECKING:
    from digitpad.recognition.reading import Item

PEN_WIDTHS_PX = (8, 48)
DEFAULT_PEN_WIDTH_PX = 24
ERASER_FACTOR = 1.6  # an eraser as wide as the pen would need as many strokes as the drawing
DOT_PX = 3  # a stroke with a smaller extent is a dot
MAX_LIVE_POINTS = 200  # points of the current stroke that are repainted at each move
STYLUS_NEAR_MS = 1500  # after its last event, fingers draw again
KEY_STEP_PX, FINE_KEY_STEP_PX = 16, 4

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass
class _Gesture:
    """Unfinished stroke, extended only by the device that started it."""

    device: str
    erases: bool
    before: Drawing
    points: list[tuple[float, float]] = field(default_factory=list)
    pressures: list[float] | None = None
    n_painted: int = 0  # number of points already painted into the finished ink


class _Change(QUndoCommand):
    """Undoable change from one drawing to another."""

    def __init__(self, pad: "Pad", text: str, before: Drawing, after: Drawing) -> None:
        super().__init__(text)
        self._pad, self._before, self._after = pad, before, after

    def undo(self) -> None:
        self._pad._settle(self._before)

    def redo(self) -> None:
        self._pad._settle(self._after)


class Pad(QWidget):
    """Canvas with coordinates of 0 to `CANVAS_PX` in the square in its middle, at any widget size.

    In a wide widget the canvas goes on to both sides of the square; ink that is wider than the widget is shown smaller.
    """

    drawing_changed = Signal()  # `drawing` changed; during a stroke, emitted at every move
    settled = Signal()  # the pen was lifted, even without a change, or an edit was undone, cleared or pasted
    box_chosen = Signal(int)  # index of the box whose label was clicked
    tool_changed = Signal(bool)  # whether the eraser is selected

    def __init__(self, theme: Theme, undo_stack: QUndoStack | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.undo_stack = QUndoStack(self) if undo_stack is None else undo_stack
        self.pen_width_px = float(DEFAULT_PEN_WIDTH_PX)
        self._drawing = Drawing()
        self._view = PadView.fit(self.width(), self.height(), self._drawing)
        self._gesture: _Gesture | None = None
        self._erasing = False
        self._since_stylus = QElapsedTimer()
        self._pointer: QPointF | None = None  # of the mouse above the pad, for the ring that shows the pen's size
        self._evidence: tuple[QImage, QRectF] | None = None
        self._ghost: tuple[Floats, ...] = ()
        self._boxes: tuple[Item, ...] = ()
        self._selected_box = 0
        self.draws_with_fingers = True
        self._cursor: QPointF | None = None  # position of the keyboard pen; None until it is used
        self._focus_by_keys = False
        self.invitation, self.hint = "Draw a digit", ""
        self._finished_ink: QPixmap | None = None
        self.setObjectName("pad")
        self.setAccessibleName("Drawing pad")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        set_accessible_role(self, Role.Canvas)
        self.setAccessibleDescription(
            "Draw with a mouse, pen or finger, or with the arrow keys; Space lowers and lifts the pen"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setMouseTracking(True)
        theme.changed.connect(self._forget_finished_ink)

    @property
    def drawing(self) -> Drawing:
        """Drawing on the pad, including the unfinished stroke."""
        gesture = self._gesture
        if gesture is None or gesture.erases:
            return self._drawing
        return self._drawing.with_stroke(self._stroke_of(gesture))

    @property
    def has_strokes(self) -> bool:
        """Whether the pad has strokes; cheaper than `drawing`, for use at every pen move."""
        is_drawing = self._gesture is not None and not self._gesture.erases
        return is_drawing or bool(self._drawing.strokes)

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke of the pen or the eraser is unfinished."""
        return self._gesture is not None

    @property
    def is_empty(self) -> bool:
        """Whether the pad has no ink."""
        return not self.has_strokes and self._drawing.is_empty

    @property
    def erasing(self) -> bool:
        """Whether the next stroke erases."""
        return self._erasing

    def set_erasing(self, erasing: bool) -> None:
        """Select the pen or the eraser."""
        if erasing != self._erasing:
            self._erasing = erasing
            self.tool_changed.emit(erasing)

    def replace(self, drawing: Drawing, text: str) -> None:
        """Replace the drawing as an undoable change; ``text`` is the name of the change."""
        before = self._drawing if self._gesture is None else self._gesture.before
        if drawing.is_empty and before.is_empty:
            self._cancel_gesture()
        else:
            self.undo_stack.push(_Change(self, text, before, drawing))

    def show_evidence(self, evidence: QImage | None, area: QRectF | None = None) -> None:
        """Lay a picture over an area of the ink, in canvas pixels; None removes it."""
        self._evidence = None if evidence is None or area is None else (evidence, area)
        self.update()

    def show_boxes(self, items: Sequence["Item"], selected: int) -> None:
        """Show a box around each digit of a number, labelled with the digit; none for a single digit."""
        if (tuple(items), selected) != (self._boxes, self._selected_box):
            self._boxes, self._selected_box = tuple(items), selected
            self.update()

    def box_label(self, place: int) -> QRectF:
        """Return where the label of a box is, in pixels of the widget."""
        box = self._view.rect_to_widget(self._framed(self._boxes[place]))
        height = QFontMetricsF(self.font()).height() + 4
        left = min(max(box.x(), 2.0), self.width() - 2 * height)
        return QRectF(left, max(2.0, box.y() - height), 1.6 * height, height)

    def _framed(self, item: "Item") -> QRectF:
        """Return the box of an item with the width of the pen around it, in canvas pixels."""
        margin = self.pen_width_px / 2 + 4
        return QRectF(*item.box).adjusted(-margin, -margin, margin, margin)

    def show_ghost(self, paths: tuple[Floats, ...]) -> None:
        """Show strokes faintly over the ink, as a proposal; none removes them."""
        self._ghost = paths
        self.update()

    @property
    def has_ghost(self) -> bool:
        """Whether a proposal is shown."""
        return bool(self._ghost)

    def invite(self, text: str, hint: str = "") -> None:
        """Set the text shown on an empty pad, and a smaller one at its lower edge."""
        self.invitation, self.hint = text, hint
        self.update()

    def clear(self) -> None:
        """Clear the pad as an undoable change."""
        self.replace(Drawing(), "Clear")

    # Drawing, the same for all devices.

    def _begin(self, device: str, position: QPointF, pressure: float | None = None, erases: bool | None = None) -> None:
        erases = self._erasing if erases is None else erases
        pressures: list[float] | None = None if pressure is None or erases else []
        self._gesture = _Gesture(device, erases, self._drawing, pressures=pressures)
        self._extend(device, position, pressure)

    def _extend(self, device: str, position: QPointF, pressure: float | None = None) -> None:
        gesture = self._gesture
        if gesture is None or gesture.device != device:  # for example mouse events that accompany pen events
            return
        on_canvas = self._view.clipped(self._view.to_canvas(position))
        point = (on_canvas.x(), on_canvas.y())
        if gesture.points and point == gesture.points[-1]:
            return
        gesture.points.append(point)
        if gesture.pressures is not None:
            gesture.pressures.append(1.0 if pressure is None else pressure)
        if gesture.erases:
            self._drawing = self._drawing.erased(np.array(gesture.points[-2:]), self._eraser_radius_px)
            self._forget_finished_ink()
        self.update()
        self.drawing_changed.emit()

    def _end(self, device: str) -> None:
        gesture = self._gesture
        if gesture is None or gesture.device != device:
            return
        self._gesture = None
        after = self._drawing if gesture.erases else gesture.before.with_stroke(self._stroke_of(gesture))
        self._drawing = gesture.before
        changed = after.strokes != gesture.before.strokes or after.image is not gesture.before.image
        if changed:
            self.undo_stack.push(_Change(self, "Erase" if gesture.erases else "Stroke", gesture.before, after))
        else:
            self.settled.emit()

    def _cancel_gesture(self) -> None:
        if self._gesture is not None:
            self._settle(self._gesture.before)

    def _show(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._fit_view()
        self._forget_finished_ink()
        self.drawing_changed.emit()

    def _settle(self, drawing: Drawing) -> None:
        self._gesture = None  # undo during a stroke also discards the stroke
        self._show(drawing)
        self.settled.emit()

    def _stroke_of(self, gesture: _Gesture) -> Stroke:
        points: Floats = np.array(gesture.points)
        if np.ptp(points, axis=0).max() < DOT_PX:
            return Stroke(points[:1], self.pen_width_px)
        pressures = None if gesture.pressures is None else np.array(gesture.pressures)
        return Stroke(points, self.pen_width_px, pressures)

    @property
    def _eraser_radius_px(self) -> float:
        return self.pen_width_px * ERASER_FACTOR / 2

    # Painting.

    def _fit_view(self) -> None:
        """Show the whole drawing; never during a stroke, so that the ink stays under the pen."""
        self._view = PadView.fit(self.width(), self.height(), self._drawing)

    def _forget_finished_ink(self) -> None:
        self._finished_ink = None
        if self._gesture is not None:
            self._gesture.n_painted = 0
        self.update()

    def _finished_strokes(self) -> QPixmap:
        """Return all ink except the unfinished stroke, painted once per size and theme."""
        ratio = self.devicePixelRatioF()
        pixmap = self._finished_ink
        if pixmap is None or pixmap.size() != self.size() * ratio:
            pixmap = QPixmap(self.size() * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = self._canvas_painter(pixmap)
            paint_drawing(painter, self._drawing, QColor(self._theme.tokens.ink))
            painter.end()
            self._forget_finished_ink()
            self._finished_ink = pixmap
        return pixmap

    def _paint_running_stroke(self, painter: QPainter) -> None:
        """Paint the unfinished stroke; all but the end of a long stroke is painted once, into the finished ink."""
        gesture = self._gesture
        if gesture is None or gesture.erases:
            return
        ink, stroke = QColor(self._theme.tokens.ink), self._stroke_of(gesture)
        begin = max(0, gesture.n_painted - 2)  # a curve needs neighbouring points to continue smoothly
        if len(stroke.points) - begin > MAX_LIVE_POINTS and self._finished_ink is not None:
            ink_painter = self._canvas_painter(self._finished_ink)
            paint_stroke(ink_painter, _tail(stroke, begin), ink)
            ink_painter.end()
            gesture.n_painted = len(stroke.points)
            begin = gesture.n_painted - 2
        paint_stroke(painter, _tail(stroke, begin), ink)

    def _canvas_painter(self, pixmap: QPixmap) -> QPainter:
        painter = QPainter(pixmap)
        painter.setTransform(self._view.transform, combine=True)
        return painter

    def _paint_ground(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        focused = self.hasFocus() and self._focus_by_keys
        painter.setPen(QPen(QColor(tokens.accent if focused else tokens.hairline), 1))
        painter.setBrush(QColor(tokens.pad))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
        side = min(self.width(), self.height())
        guide = side * 0.14
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.hairline), 1, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(guide, guide, -guide, -guide), 8, 8)
        if self.is_empty:
            font = self.font()
            font.setPixelSize(max(12, min(20, side // 9)))
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.invitation)
            font.setPixelSize(max(11, font.pixelSize() * 13 // 20))
            painter.setFont(font)
            below = QRectF(self.rect()).adjusted(guide + 8, 0, -guide - 8, -guide - 8)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom | Qt.TextFlag.TextWordWrap
            painter.drawText(below, flags, self.hint)

    def _paint_key_cursor(self, painter: QPainter) -> None:
        if self._cursor is None or not self.hasFocus():
            return
        tokens = self._theme.tokens
        radius = self.pen_width_px / 2
        painter.setBrush(QColor(tokens.accent) if self._gesture is not None else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.accent), 2))
        painter.drawEllipse(self._cursor, radius, radius)

    def _paint_evidence(self, painter: QPainter) -> None:
        if self._evidence is not None and self._gesture is None:
            picture, area = self._evidence
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(area, picture)
        if self._ghost:
            colour = QColor(self._theme.tokens.second)
            colour.setAlphaF(0.75)
            for path in self._ghost:
                paint_stroke(painter, Stroke(path, self.pen_width_px / 3), colour)

    def _paint_boxes(self, painter: QPainter) -> None:
        """Paint the boxes of a number in pixels of the widget; a dashed box is not sure."""
        tokens = self._theme.tokens
        painter.setFont(self.font())
        for place, item in enumerate(self._boxes):
            is_selected = place == self._selected_box
            colour = QColor(tokens.accent if is_selected else tokens.border)
            style = Qt.PenStyle.SolidLine if item.sure else Qt.PenStyle.DashLine
            painter.setPen(QPen(colour, 2 if is_selected else 1, style))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self._view.rect_to_widget(self._framed(item)), 5, 5)
            label = self.box_label(place)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(label, 4, 4)
            painter.setPen(QColor(readable_on(colour.name())))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, item.text)

    def _ring_radius_px(self) -> float:
        """Radius of the pen or the eraser in canvas pixels."""
        return self._eraser_radius_px if self._erasing else self.pen_width_px / 2

    def _paint_ring(self, painter: QPainter) -> None:
        """Paint the size of the pen or the eraser around the pointer."""
        if self._pointer is None or (self._gesture is not None and not self._gesture.erases):
            return
        tokens = self._theme.tokens
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.second if self._erasing else tokens.faint), 1.5))
        radius = self._ring_radius_px()
        painter.drawEllipse(self._view.to_canvas(self._pointer), radius, radius)

    def _move_ring(self, pointer: QPointF | None) -> None:
        reach = self._ring_radius_px() * self._view.scale + 3
        for point in (self._pointer, pointer):
            if point is not None:
                self.update(QRectF(point.x() - reach, point.y() - reach, 2 * reach, 2 * reach).toAlignedRect())
        self._pointer = pointer

    # Keys.

    def _move_key_cursor(self, dx: float, dy: float) -> None:
        cursor = self._cursor or QPointF(CANVAS_PX / 2, CANVAS_PX / 2)
        self._cursor = self._view.clipped(cursor + QPointF(dx, dy))
        self._extend("keys", self._view.to_widget(self._cursor))
        self.update()

    def _toggle_key_pen(self) -> None:
        if self._gesture is not None:
            self._end("keys")
        else:
            self._move_key_cursor(0, 0)
            assert self._cursor is not None
            self._begin("keys", self._view.to_widget(self._cursor))

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        painter.drawPixmap(0, 0, self._finished_strokes())
        self._paint_boxes(painter)
        painter.setTransform(self._view.transform, combine=True)
        self._paint_running_stroke(painter)
        self._paint_evidence(painter)
        self._paint_ring(painter)
        self._paint_key_cursor(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_view()
        self._forget_finished_ink()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end("mouse")  # if a release was lost, for example to a dialog
            for place in range(len(self._boxes)):
                if self.box_label(place).contains(event.position()):
                    self.box_chosen.emit(place)
                    return
            if self._gesture is None:
                self._begin("mouse", event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move_ring(event.position())
        self._extend("mouse", event.position())

    def leaveEvent(self, event: QEvent) -> None:
        self._move_ring(None)
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end("mouse")

    def tabletEvent(self, event: QTabletEvent) -> None:
        self._since_stylus.start()
        if self._gesture is not None and self._gesture.device == "finger":
            self._cancel_gesture()  # the touch came from the hand that holds the pen
        has_pressure = bool(event.pointingDevice().capabilities() & QInputDevice.Capability.Pressure)
        pressure = event.pressure() if has_pressure else None
        match event.type():
            case QEvent.Type.TabletPress if self._gesture is None and event.button() == Qt.MouseButton.LeftButton:
                erases = event.pointerType() == QPointingDevice.PointerType.Eraser or self._erasing
                self._begin("pen", event.position(), pressure, erases)
            case QEvent.Type.TabletMove:
                self._extend("pen", event.position(), pressure)
            case QEvent.Type.TabletRelease:
                self._end("pen")
        event.accept()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QTouchEvent):
            self._touch(event)
            return True
        return super().event(event)

    @property
    def _stylus_is_near(self) -> bool:
        """Whether a stylus touched or hovered above the pad a moment ago."""
        return self._since_stylus.isValid() and self._since_stylus.elapsed() < STYLUS_NEAR_MS

    def _touch(self, event: QTouchEvent) -> None:
        """Draw with the first finger; ignore touch while a stylus is near, because the hand then rests on the pad."""
        if event.type() == QEvent.Type.TouchCancel:
            if self._gesture is not None and self._gesture.device == "finger":
                self._cancel_gesture()
        elif self.draws_with_fingers and not self._stylus_is_near and event.points():
            position = event.points()[0].position()
            if event.type() == QEvent.Type.TouchBegin and self._gesture is None:
                self._begin("finger", position)
            elif event.type() == QEvent.Type.TouchUpdate:
                self._extend("finger", position)
            elif event.type() == QEvent.Type.TouchEnd:
                self._end("finger")
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._focus_by_keys = True
        step = FINE_KEY_STEP_PX if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else KEY_STEP_PX
        if event.key() in _ARROWS:
            dx, dy = _ARROWS[Qt.Key(event.key())]
            self._move_key_cursor(dx * step, dy * step)
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._toggle_key_pen()
        elif event.key() == Qt.Key.Key_Escape and self._gesture is not None:
            self._cancel_gesture()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        self._focus_by_keys = event.reason() in by_keys
        super().focusInEvent(event)
        self.update()

    def hideEvent(self, event: QHideEvent) -> None:
        if self._gesture is not None:
            self._end(self._gesture.device)
        super().hideEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end("keys")
        super().focusOutEvent(event)
        self.update()


def _tail(stroke: Stroke, begin: int) -> Stroke:
    """Return the part of a stroke that starts at point ``begin``."""
    pressures = None if stroke.pressures is None else stroke.pressures[begin:]
    return Stroke(stroke.points[begin:], stroke.width_px, pressures)
