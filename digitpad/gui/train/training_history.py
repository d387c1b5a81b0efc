"""History of a training run for the scrubber: predictions for a digit and images of the first layer."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme

MAX_MOMENTS = 500  # 25 KB each; above this number, every second one is dropped


@dataclass(frozen=True, eq=False)
class HistoryPoint:
    """State after ``step`` steps.

    Attributes
    ----------
    step : int
    answer : tuple of float, optional
        Probabilities of the classes for the pinned digit.
    weights : ndarray of uint8
        Images of the first layer.
    """

    step: int
    answer: tuple[float, ...] | None
    weights: NDArray[np.uint8]


@dataclass
class TrainingHistory:
    """Evenly spaced points of a training run of any length, in bounded memory."""

    kept: list[HistoryPoint] = field(default_factory=list)
    _stride: int = 1
    _n_seen: int = 0

    def add(self, moment: HistoryPoint) -> None:
        """Add a point; the latest point is always kept."""
        if self.kept and (self._n_seen - 1) % self._stride:
            self.kept.pop()  # it was kept only because it was the latest
        self.kept.append(moment)
        self._n_seen += 1
        if len(self.kept) > MAX_MOMENTS:
            del self.kept[1::2]
            self._stride *= 2

    def forget_answers(self) -> None:
        """Remove all predictions, as another digit is pinned; keep the images."""
        self.kept = [dataclasses.replace(moment, answer=None) for moment in self.kept]


class Scrubber(QWidget):
    """Curve of the probability of the predicted digit since the start of training, to go back to an earlier point."""

    moved = Signal()  # `moment` changed

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._moments = TrainingHistory()
        self._step: int | None = None  # step that is shown, as its index can change; None for the latest
        self.setObjectName("scrubber")
        self.setMinimumWidth(60)
        self.setAccessibleName("Training history")
        set_accessible_role(self, Role.Slider)
        self.setToolTip("Drag to go back to earlier points of training, or use the arrow keys and End")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        theme.changed.connect(self.update)

    def set_moments(self, moments: TrainingHistory) -> None:
        """Show a history, which may have more or fewer points than before."""
        self._moments = moments
        if self._step is not None and (not moments.kept or self._step > moments.kept[-1].step):
            self._step = None
        self.update()

    @property
    def is_back(self) -> bool:
        """Whether an earlier point than the latest is shown."""
        return self._step is not None

    @property
    def moment(self) -> HistoryPoint | None:
        """Point that is shown: an earlier point that was chosen, else the latest; None if there are no points."""
        return self._moments.kept[self._place] if self._moments.kept else None

    @property
    def _place(self) -> int:
        """Index of the point that is shown, or of the nearest that is still kept."""
        kept = self._moments.kept
        if self._step is None:
            return len(kept) - 1
        step = self._step
        return min(range(len(kept)), key=lambda place: abs(kept[place].step - step))

    def go_to(self, place: int | None) -> None:
        """Show the point at an index; None or the last index follows the latest point."""
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

    # Qt overrides.

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
                QPointF(self._x(place), room.bottom() - room.height() * point.answer[digit])
                for place, point in enumerate(self._moments.kept)
                if point.answer is not None
            ]
            painter.setPen(QPen(QColor(tokens.good), 2))
            painter.drawPolyline(QPolygonF(points))
        if self.is_back:
            x = self._x(self._place)
            painter.setPen(QPen(QColor(tokens.soft), 1))
            painter.drawLine(QPointF(x, 2), QPointF(x, self.height() - 2))
        painter.end()
