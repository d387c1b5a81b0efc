import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from digitpad.gui.canvas.pad_view import PadView
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke


def line(x: float) -> Drawing:
    return Drawing((Stroke(np.array([[10.0, 10.0], [x, 400.0]])),))


def test_square_pad_shows_the_canvas() -> None:
    """In a square widget the canvas fills the widget."""
    view = PadView.fit(240, 240, line(400.0))
    assert view.rect_to_widget(QRectF(0, 0, CANVAS_PX, CANVAS_PX)) == QRectF(0, 0, 240, 240)
    assert view.clipped(QPointF(-5, 500)) == QPointF(0, CANVAS_PX)


def test_wide_pad_goes_on_to_both_sides() -> None:
    """In a wide widget the square is in the middle, and positions map to the canvas and back."""
    view = PadView.fit(960, 240, Drawing())
    assert view.to_canvas(QPointF(480, 120)) == QPointF(CANVAS_PX / 2, CANVAS_PX / 2)
    assert view.to_canvas(QPointF(0, 0)) == QPointF(-1.5 * CANVAS_PX, 0)
    assert view.to_widget(view.to_canvas(QPointF(700, 33))) == QPointF(700, 33)


@pytest.mark.parametrize("x", [-700.0, 1200.0])
def test_ink_beyond_the_widget_is_shown_smaller(x: float) -> None:
    """A stroke drawn on a wide pad is visible on a square one."""
    view = PadView.fit(300, 300, line(x))
    assert view.scale < 300 / CANVAS_PX
    assert 0 < view.to_widget(QPointF(x, 400)).x() < 300
