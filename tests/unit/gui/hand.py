"""Helpers that draw digits on a pad with simulated mouse events, and find widgets."""

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.window import Window
from digitpad.recognition.recognizer import Prediction

Path = Sequence[tuple[float, float]]
W = TypeVar("W", bound=QObject)

DRAW, TRAIN, EVALUATE, INSIDE = range(4)
"""Indices of the tabs."""

# Coordinates from 0 to 1, in both directions.
DIGITS: dict[int, list[Path]] = {
    1: [[(0.5, 0.0), (0.5, 0.33), (0.49, 0.66), (0.48, 1.0)]],
    3: [
        [(0.2, 0.1), (0.45, 0.0), (0.7, 0.1), (0.66, 0.36), (0.42, 0.47), (0.72, 0.58), (0.75, 0.85), (0.2, 0.92)],
    ],
    4: [
        [(0.35, 0.0), (0.22, 0.3), (0.15, 0.55), (0.45, 0.55), (0.85, 0.52)],
        [(0.68, 0.15), (0.66, 0.55), (0.64, 1.0)],
    ],
    7: [[(0.15, 0.05), (0.5, 0.03), (0.85, 0.0), (0.65, 0.4), (0.5, 0.7), (0.4, 1.0)]],
}


def find(parent: QObject, kind: type[W], name: str = "") -> W:
    """Return the only child of this type, or the child of this name; fail if there is none."""
    child = parent.findChild(kind, name) if name else parent.findChild(kind)
    assert child is not None, f"no {kind.__name__} {name}"
    return child


def menu_action(window: QMainWindow, text: str) -> QAction:
    """Return the last command in the menu bar whose text starts with ``text``."""
    actions = [action for menu in window.menuBar().findChildren(QMenu) for action in menu.actions()]
    return [action for action in actions if action.text().replace("&", "").startswith(text)][-1]


def reading(window: Window) -> Prediction:
    """Return the prediction that the Draw tab shows; fail if there is none."""
    prediction = window.page(DrawTab).prediction
    assert prediction is not None
    return prediction


def reads(window: Window, digit: int) -> bool:
    """Return whether the Draw tab predicts this digit."""
    prediction = window.page(DrawTab).prediction
    return prediction is not None and prediction.digit == digit


def placed(digit: int, left: float, top: float, size: float) -> list[Path]:
    """Return the strokes of a digit in a square of ``size`` at (left, top)."""
    return [[(left + x * size, top + y * size) for x, y in stroke] for stroke in DIGITS[digit]]


def mouse(widget: QWidget, kind: QEvent.Type, position: tuple[float, float]) -> None:
    """Send a mouse event at a position in the widget, which may have fractions of a pixel."""
    point = QPointF(*position)
    pressed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    event = QMouseEvent(
        kind, point, QPointF(widget.mapToGlobal(point)), button, pressed, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(widget, event)


def draw(widget: QWidget, strokes: Sequence[Path]) -> None:
    """Draw with the mouse, from point to point."""
    for stroke in strokes:
        mouse(widget, QEvent.Type.MouseButtonPress, stroke[0])
        for point in stroke[1:]:
            mouse(widget, QEvent.Type.MouseMove, point)
        mouse(widget, QEvent.Type.MouseButtonRelease, stroke[-1])
