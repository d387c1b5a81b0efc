"""Random sample of 25 images with their predictions."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from digitpad.class_names import noun
from digitpad.evaluation.assessment import Assessment
from digitpad.gui.evaluate.image_atlas import ImageAtlas
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, make_card, make_label, named
from digitpad.gui.widgets.theme import Theme
from digitpad.number_format import format_percent

SIDE = 5  # images per row, and number of rows
_GAP_PX = 14
_ANSWER_PX = (22, 18, 15, 13)


class SampleGrid(QWidget):
    """Grid of 5 × 5 images, each with its prediction and its true class."""

    opened = Signal(int)  # index of an image

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._assessment: Assessment | None = None
        self._atlas: ImageAtlas | None = None
        self.places: list[int] = []
        self._current = 0
        self.setObjectName("sample_grid")
        self.setAccessibleName("Random images")
        set_accessible_role(self, Role.Graphic)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(SIDE * 120, SIDE * 50)
        theme.changed.connect(self.update)

    def set_places(self, made: Assessment, sheet: ImageAtlas, places: list[int]) -> None:
        """Show the images at these indices of an assessment."""
        self._assessment, self._atlas, self.places = made, sheet, places
        self._go_to(min(self._current, max(0, len(places) - 1)))

    def _go_to(self, current: int) -> None:
        self._current = current
        if self._assessment is not None and self.places:
            place = self.places[current]
            names = self._assessment.class_names
            true_class, read_as = names[self._assessment.digits.labels[place]], names[self._assessment.predicted[place]]
            self.setAccessibleDescription(f"{true_class} read as {read_as}")
        self.update()

    def cell(self, number: int) -> QRectF:
        """Return the rectangle of an image in the grid."""
        width, height = self.width() / SIDE, self.height() / SIDE
        return QRectF(number % SIDE * width, number // SIDE * height, width, height)

    def _paint_words(self, painter: QPainter, room: QRectF, made: Assessment, place: int, large: QFont) -> None:
        """Paint the predicted class, and below it the true class and the confidence."""
        names, confidence = made.class_names, format_percent(float(made.confidences[place]))
        label, read_as = int(made.digits.labels[place]), int(made.predicted[place])
        tokens, right = self._theme.tokens, label == read_as
        small = QFont(large)
        small.setPixelSize(12)
        small.setBold(False)
        details = (
            [f"is {names[label]}", confidence] if max(map(len, names)) > 1 else [f"is {names[label]} · {confidence}"]
        )
        lines = [
            (large, tokens.good if right else tokens.bad, names[read_as], 32),
            *((small, tokens.soft if right else tokens.bad, text, 16) for text in details),
        ]
        mark_px = 0.6 * QFontMetricsF(small).height()
        mark = QRectF(room.left(), room.top() + 16 - mark_px / 2, mark_px, mark_px)
        paint_mark(painter, mark, tokens.good if right else tokens.bad, right=right)
        room.setLeft(room.left() + mark_px + 5)
        for font, colour, text, height in lines:
            room.setHeight(height)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            elided = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
            room.translate(0, height)

    def _answer_font(self, names: Sequence[str], room_px: float) -> QFont:
        """Return the largest font in which all names fit."""
        font = self.font()
        font.setBold(True)
        for size_px in _ANSWER_PX:
            font.setPixelSize(size_px)
            if max(map(QFontMetricsF(font).horizontalAdvance, names)) <= room_px:
                break
        return font

    # Qt overrides.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number in range(len(self.places)):
            if self.cell(number).contains(event.position()):
                self._go_to(number)
                self.opened.emit(self.places[number])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -SIDE, Qt.Key.Key_Down: SIDE}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            if 0 <= self._current + step < len(self.places):
                self._go_to(self._current + step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.places:
            self.opened.emit(self.places[self._current])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        made, sheet = self._assessment, self._atlas
        if made is None or sheet is None:
            return
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = self.cell(0)
        side = min(first.height() - 12, first.width() * 0.5, 112)
        room_px = first.width() - side - _GAP_PX - 12
        font = self._answer_font(made.class_names, room_px - 16)
        for number, place in enumerate(self.places):
            cell = self.cell(number)
            image = QRectF(cell.left() + 6, cell.center().y() - side / 2, side, side)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, side > 56)
            sheet.paint(painter, image, place)
            words = QRectF(image.right() + _GAP_PX, cell.center().y() - 31, room_px, 32)
            self._paint_words(painter, words, made, place, font)
            if self.hasFocus() and number == self._current:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRoundedRect(cell.adjusted(1, 1, -3, -1), 7, 7)
        painter.end()


def paint_mark(painter: QPainter, box: QRectF, colour: str, *, right: bool) -> None:
    """Paint a tick for a right prediction, or a cross for a wrong one."""
    painter.setPen(QPen(QColor(colour), 2, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    if right:
        corner = QPointF(box.left() + 0.35 * box.width(), box.bottom())
        painter.drawPolyline(QPolygonF([QPointF(box.left(), box.center().y()), corner, box.topRight()]))
    else:
        painter.drawLine(box.topLeft(), box.bottomRight())
        painter.drawLine(box.topRight(), box.bottomLeft())


class SampleView(QWidget):
    """Grid of random images, the number of right predictions, and a button for another sample."""

    def __init__(self, theme: Theme, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng
        self._assessment: Assessment | None = None
        self._atlas: ImageAtlas | None = None
        self.grid = SampleGrid(theme)
        self._summary = make_label("", "soft", "sample_said")
        self._again = named(QPushButton("Another 25"), "another_sample")
        shortcut = QShortcut(QKeySequence("R"), self.grid)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self._again.click)
        self._again.setToolTip("Draw another random sample (R)")
        self._again.clicked.connect(self.draw)
        frame = make_card("sample_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        row = QHBoxLayout()
        row.addWidget(self._summary)
        row.addStretch(1)
        row.addWidget(self._again)
        column.addLayout(row)
        column.addWidget(self.grid, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set_assessment(self, made: Assessment, sheet: ImageAtlas) -> None:
        """Draw a sample of the images of an assessment."""
        self._assessment, self._atlas = made, sheet
        self.draw()

    def draw(self) -> None:
        """Draw 25 random images, or all images if there are fewer."""
        made, sheet = self._assessment, self._atlas
        if made is None or sheet is None:
            return
        n = len(made.digits)
        places = self._rng.choice(n, min(SIDE**2, n), replace=False).tolist()
        self.grid.set_places(made, sheet, places)
        n_right = int(made.right[places].sum())
        self._summary.setText(
            f"{len(places)} random {made.part_images}, {n_right} read right. "
            f"Large: prediction. Small: true {noun(made.class_names)} and confidence."
        )
