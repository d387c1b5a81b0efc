"""Moments of a training, kept to look back at: what was answered, and what the first layer looked like."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from digitpad.gui.widgets.theme import Theme

MAX_MOMENTS = 500  # 25 KB each; beyond, every other is dropped


@dataclass(frozen=True, eq=False)
class HistoryPoint:
    """What there was to see after ``step`` steps; ``answer`` holds the probabilities given to the pinned digit."""

    step: int
    answer: tuple[float, ...] | None
    weights: NDArray[np.uint8]


@dataclass
class TrainingHistory:
    """Of a training of any length, so many that memory stays bounded, evenly spread."""

    kept: list[HistoryPoint] = field(default_factory=list)
    _stride: int = 1
    _n_seen: int = 0

    def add(self, moment: HistoryPoint) -> None:
        """One more; the latest is always there."""
        if self.kept and (self._n_seen - 1) % self._stride:
            self.kept.pop()  # was there as the latest alone
        self.kept.append(moment)
        self._n_seen += 1
        if len(self.kept) > MAX_MOMENTS:
            del self.kept[1::2]
            self._stride *= 2

    def forget_answers(self) -> None:
        """They were another digit's."""
        self.kept = [dataclasses.replace(moment, answer=None) for moment in self.kept]


class Scrubber(QWidget):
    """How sure the network was of its present answer, from the training's begin until now; it can be gone back in."""

    moved = Signal()  # `moment` is another

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._moments = TrainingHistory()
        self._step: int | None = None  # that was gone back to, whatever its place among the moments becomes
        self.setObjectName("scrubber")
        self.setMinimumWidth(60)
        self.setAccessibleName("Back through the training")
        self.setToolTip("Press and move to go back through the training; the arrow keys and End do it, too")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        theme.changed.connect(self.update)

    def set_moments(self, moments: TrainingHistory) -> None:
        """Show these; they may have grown, or become fewer."""
        self._moments = moments
        if self._step is not None and (not moments.kept or self._step > moments.kept[-1].step):
            self._step = None
        self.update()

    @property
    def is_back(self) -> bool:
        """Whether it shows an earlier moment than the latest."""
        return self._step is not None

    @property
    def moment(self) -> HistoryPoint | None:
        """The one to look at: that gone back to, else the latest."""
        return self._moments.kept[self._place] if self._moments.kept else None

    @property
    def _place(self) -> int:
        """Of the moment to look at, or of the nearest to it that is still kept."""
        kept = self._moments.kept
        if self._step is None:
            return len(kept) - 1
        step = self._step
        return min(range(len(kept)), key=lambda place: abs(kept[place].step - step))

    def go_to(self, place: int | None) -> None:
        """Look at that moment; None, or the last, is whichever is the latest."""
        kept = self._moments.kept
        self._step = None if place is None or place >= len(kept) - 1 else kept[max(0, place)].step
        moment = self.moment
        self.setAccessibleDescription("" if moment is None else f"step {moment.step}")
        self.update()
        self.moved.emit()

    def _room(self) -> QRectF:
        return QRectF(self.rect()).adjusted(4, 6, -4, -6)

    def _x(self, place: int) -> float:
        return self._room().left() + self._room().width() * place / max(1, len(self._moments.kept) - 1)

    def _go_to_pointer(self, x: float) -> None:
        room = self._room()
        self.go_to(round((x - room.left()) / max(1.0, room.width()) * (len(self._moments.kept) - 1)))

    # Overrides of Qt's.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go_to_pointer(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go_to_pointer(event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here, step = self._place, max(1, len(self._moments.kept) // 20)
        match event.key():
            case Qt.Key.Key_Left:
                self.go_to(here - step)
            case Qt.Key.Key_Right:
                self.go_to(here + step)
            case Qt.Key.Key_Home:
                self.go_to(0)
            case Qt.Key.Key_End | Qt.Key.Key_Escape:
                self.go_to(None)
            case _:
                super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens, room = self._theme.tokens, self._room()
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        moment = self.moment
        answer = None if moment is None else moment.answer
        if answer is not None:
            digit = int(np.argmax(answer))
            points = [
                QPointF(self._x(place), room.bottom() - room.height() * one.answer[digit])
                for place, one in enumerate(self._moments.kept)
                if one.answer is not None
            ]
            painter.setPen(QPen(QColor(tokens.good), 2))
            painter.drawPolyline(QPolygonF(points))
        if self.is_back:
            x = self._x(self._place)
            painter.setPen(QPen(QColor(tokens.soft), 1))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - 2))
        painter.end()
