"""Bar chart of class probabilities."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEasingCurve, QRectF, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from digitpad.class_names import DIGITS
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import BODY_PX, scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.number_format import format_percent

N_BARS = 10
"""Maximum number of bars; of more classes, the most probable are shown."""

NAME_PX = 15
"""Width of a one-letter name; longer names get more, up to `NAME_SHARE` of the widget's width."""

NAME_SHARE = 0.4
EASE_MS = 120
MAX_GROWTH = 1.6  # of text in high rows


class ProbabilityBars(QWidget):
    """Animated bars of class probabilities; empty without a prediction.

    Up to `N_BARS` classes keep their positions. Of more classes, the most probable are shown in descending order.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._target: tuple[float, ...] | None = None
        self.sure = False
        self._class_names: tuple[str, ...] = DIGITS
        self._from = self.drawn = (0.0,) * len(DIGITS)
        self.setObjectName("probability_bars")
        self.setAccessibleName("Probabilities")
        set_accessible_role(self, Role.Chart)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._background_key: tuple[object, ...] | None = None
        self._background_picture = QPixmap()
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(self._move)
        theme.changed.connect(self.update)

    def set_classes(self, class_names: Sequence[str]) -> None:
        """Set the classes whose probabilities are shown."""
        if tuple(class_names) != self._class_names:
            self._animation.stop()
            self._class_names = tuple(class_names)
            self._target = None
            self._from = self.drawn = (0.0,) * len(class_names)
            self.update()

    @property
    def rows(self) -> list[int]:
        """Indices of the classes that have a bar, from top to bottom."""
        classes = range(len(self._class_names))
        if len(classes) <= N_BARS:
            return list(classes)
        target = self._target
        return [] if target is None else sorted(classes, key=lambda index: -target[index])[:N_BARS]

    def set_probabilities(self, probabilities: Sequence[float] | None, *, sure: bool = True) -> None:
        """Show probabilities in 0..1, or none; if the prediction is ``sure``, highlight the largest."""
        self._from = self.drawn
        self._target = None if probabilities is None else tuple(probabilities)
        self.sure = sure
        description = (
            "none"
            if self._target is None
            else ", ".join(f"{self._class_names[index]}: {format_percent(self._target[index])}" for index in self.rows)
        )
        self.setAccessibleDescription(description)
        self._animation.stop()
        # 0 if the system is set to reduced motion.
        duration_ms = self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self)
        if duration_ms > 0 and self.isVisible():
            self._animation.setDuration(EASE_MS)
            self._animation.start()
        else:
            self._move(1.0)

    def _move(self, share: float) -> None:
        target = self._target or (0.0,) * len(self._class_names)
        if share == 1:  # also replaces NaN, which cannot be interpolated
            self.drawn = target
        else:
            self.drawn = tuple(a + (b - a) * share for a, b in zip(self._from, target, strict=True))
        self.update()

    def _name_px(self, metrics: QFontMetricsF) -> float:
        """Return the width of the column of names."""
        if all(len(name) == 1 for name in self._class_names):
            return max(NAME_PX, math.ceil(metrics.horizontalAdvance("0")) + 5)
        longest = max(metrics.horizontalAdvance(name) for name in self._class_names)
        return min(max(NAME_PX, math.ceil(longest) + 1), NAME_SHARE * self.width())

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(scaled(320), scaled(25) * N_BARS)

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(200), scaled(18) * N_BARS)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        best = None
        if self._target is not None and self.sure:
            best = max(range(len(self._target)), key=self._target.__getitem__)
        rows, places = self.rows, self._places()
        font = self._font(places.font_px)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawPixmap(0, 0, self._background(rows, places))
        for row, class_index in enumerate(rows):
            if (length := places.room * self.drawn[class_index]) > 0.5:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.accent if class_index == best else tokens.faint))
                # Clip a short bar to the track's round end; with round ends of its own it would look like a bead.
                painter.save()
                bar = places.track(row)
                painter.setClipRect(QRectF(bar.left(), bar.top(), length, bar.height()))
                bar.setWidth(max(length, places.thick))
                painter.drawRoundedRect(bar, places.thick / 2, places.thick / 2)
                painter.restore()
            if self._target is not None:
                font.setBold(class_index == best)
                painter.setFont(font)
                painter.setPen(QColor(tokens.text if class_index == best else tokens.soft))
                area = QRectF(0, row * places.row_height, self.width(), places.row_height)
                text = format_percent(self._target[class_index])
                painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()

    def _places(self) -> "_Places":
        """Return where names, bars and percentages are for the present size and classes."""
        row_height = min(self.height() / max(1, min(len(self._class_names), N_BARS)), scaled(48))
        growth = min(max(1.0, row_height / scaled(30)), MAX_GROWTH)
        font_px = round(scaled(BODY_PX) * growth)
        metrics = QFontMetricsF(self._font(font_px, bold=True))
        name_px = self._name_px(metrics)
        left = name_px + 11.0
        room = self.width() - left - metrics.horizontalAdvance(format_percent(1.0)) - 12
        return _Places(row_height, font_px, min(12.0 * growth, 0.62 * row_height), name_px, left, room)

    def _font(self, size_px: int, *, bold: bool = False) -> QFont:
        font = fixed_width_digits(self.font())
        font.setPixelSize(size_px)
        font.setBold(bold)
        return font

    def _background(self, rows: Sequence[int], places: "_Places") -> QPixmap:
        """Return the names and the empty tracks, which stay the same while probabilities change."""
        tokens, ratio = self._theme.tokens, self.devicePixelRatioF()
        key = (self.size().toTuple(), ratio, tokens, self.font().key(), places, tuple(rows), self._class_names)
        if self._background_key != key:
            self._background_key = key
            self._background_picture = QPixmap(self.size() * ratio)
            self._background_picture.setDevicePixelRatio(ratio)
            self._background_picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._background_picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor(tokens.ground))
            painter.setFont(self._font(places.font_px, bold=True))
            metrics = QFontMetricsF(painter.font())
            letter_px = max(NAME_PX, math.ceil(metrics.horizontalAdvance("0")) + 5)
            for row, class_index in enumerate(rows):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawRoundedRect(places.track(row), places.thick / 2, places.thick / 2)
                painter.setPen(QColor(tokens.text))
                name, alignment = self._class_names[class_index], Qt.AlignmentFlag.AlignCenter
                if places.name_px > letter_px:
                    name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, places.name_px)
                    alignment = Qt.AlignmentFlag.AlignVCenter
                painter.drawText(QRectF(0, row * places.row_height, places.name_px, places.row_height), alignment, name)
            painter.end()
        return self._background_picture


class _Places(NamedTuple):
    """Geometry of the rows, in pixels."""

    row_height: float
    font_px: int
    thick: float
    name_px: float
    left: float
    room: float

    def track(self, row: int) -> QRectF:
        """Return the rectangle of the empty bar of a row."""
        middle = (row + 0.5) * self.row_height
        return QRectF(self.left, middle - self.thick / 2, self.room, self.thick)
