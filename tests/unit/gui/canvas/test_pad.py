import functools
import os
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.canvas.pad import DEFAULT_PEN_WIDTH_PX, Pad
from digitpad.gui.canvas.qt_images import to_rgba
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.drawing import Drawing
from digitpad.ink.strokes import CANVAS_PX, Stroke
from tests.root import ROOT
from tests.unit.gui.hand import draw, mouse, placed


@pytest.fixture
def pad(qtbot: QtBot, theme: Theme) -> Pad:
    pad = Pad(theme)
    qtbot.addWidget(pad)
    pad.setFixedSize(480, 480)
    pad.show()
    return pad


@functools.cache  # an event only points to its device, which must outlive it
def stylus(pointer: QPointingDevice.PointerType) -> QPointingDevice:
    capabilities = QInputDevice.Capability.Position | QInputDevice.Capability.Pressure
    return QPointingDevice("pen", 1, QInputDevice.DeviceType.Stylus, pointer, capabilities, 1, 1)


def pen_event(
    kind: QEvent.Type, x: float, y: float, pressure: float, pointer: QPointingDevice.PointerType
) -> QTabletEvent:
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else Qt.MouseButton.LeftButton
    at, keys = QPointF(x, y), Qt.KeyboardModifier.NoModifier
    return QTabletEvent(kind, stylus(pointer), at, at, pressure, 0, 0, 0, 0, 0, keys, button, Qt.MouseButton.LeftButton)


def send_pen(
    pad: Pad,
    points: list[tuple[float, float, float]],
    pointer: QPointingDevice.PointerType = QPointingDevice.PointerType.Pen,
) -> None:
    kinds = [QEvent.Type.TabletPress] + [QEvent.Type.TabletMove] * (len(points) - 2) + [QEvent.Type.TabletRelease]
    for kind, (x, y, pressure) in zip(kinds, points, strict=True):
        QApplication.sendEvent(pad, pen_event(kind, x, y, pressure, pointer))


def test_the_mouse_draws_strokes(pad: Pad) -> None:
    """A mouse drag becomes a stroke with the points of its path."""
    path = [(100.0, 100.0), (150.5, 120.25), (200.0, 300.0)]
    draw(pad, [path])
    (stroke,) = pad.drawing.strokes
    np.testing.assert_allclose(stroke.points, path)
    assert stroke.width_px == DEFAULT_PEN_WIDTH_PX


def test_signals_are_emitted_per_move_and_per_stroke(qtbot: QtBot, pad: Pad) -> None:
    """drawing_changed is emitted at every move, and settled once at the end of the stroke."""
    changes: list[int] = []
    pad.drawing_changed.connect(lambda: changes.append(len(pad.drawing.strokes[0].points)))
    with qtbot.waitSignal(pad.settled):
        draw(pad, [[(10, 10), (50, 50), (90, 90)]])
    assert changes == [1, 2, 3, 3]


def test_click_with_jitter_is_a_dot(pad: Pad) -> None:
    """A click with two pixels of jitter is a dot."""
    draw(pad, [[(100, 100), (101, 100), (101, 102)]])
    assert len(pad.drawing.strokes[0].points) == 1


def test_undo_redo_and_clear(pad: Pad) -> None:
    """Undo and redo restore the earlier and later drawings."""
    draw(pad, placed(4, 100, 100, 200))
    full = pad.drawing
    pad.undo_stack.undo()
    assert len(pad.drawing.strokes) == 1
    pad.undo_stack.redo()
    assert pad.drawing is full
    pad.clear()
    assert pad.drawing.is_empty
    pad.undo_stack.undo()
    assert pad.drawing is full


def test_clearing_an_empty_pad_adds_no_undo_step(pad: Pad) -> None:
    """Clearing an empty pad adds nothing to the undo stack."""
    pad.clear()
    assert pad.undo_stack.count() == 0


def test_the_eraser_cuts_and_can_be_undone(pad: Pad) -> None:
    """Erasing the middle of a line leaves two strokes, and undo restores the line."""
    draw(pad, [[(100, 240), (380, 240)]])
    pad.set_erasing(True)
    draw(pad, [[(240, 200), (240, 280)]])
    assert len(pad.drawing.strokes) == 2
    pad.undo_stack.undo()
    assert len(pad.drawing.strokes) == 1


def test_ineffective_eraser_adds_no_undo_step(pad: Pad) -> None:
    """An eraser stroke that changes nothing adds nothing to the undo stack."""
    draw(pad, [[(100, 100), (150, 100)]])
    pad.set_erasing(True)
    draw(pad, [[(400, 400), (420, 420)]])
    assert pad.undo_stack.count() == 1


def test_every_stroke_emits_settled_once(qtbot: QtBot, pad: Pad) -> None:
    """Every stroke emits settled once after its last change, even if it is ineffective, cancelled or cleared."""
    log: list[str] = []
    pad.drawing_changed.connect(lambda: log.append("changed"))
    pad.settled.connect(lambda: log.append("settled"))
    pad.set_erasing(True)
    draw(pad, [[(400, 400), (420, 420)]])
    assert log == ["changed", "changed", "settled"]
    pad.set_erasing(False)
    for end in (lambda: qtbot.keyClick(pad, Qt.Key.Key_Escape), pad.clear):
        log.clear()
        mouse(pad, QEvent.Type.MouseButtonPress, (200, 200))
        end()
        mouse(pad, QEvent.Type.MouseButtonRelease, (200, 200))
        assert log == ["changed", "changed", "settled"]
        assert pad.drawing.is_empty


def test_pen_pressure_is_kept(pad: Pad) -> None:
    """Each point keeps its pen pressure."""
    send_pen(pad, [(100, 100, 0.2), (150, 150, 0.5), (200, 200, 0.9), (200, 200, 0.0)])
    (stroke,) = pad.drawing.strokes
    assert stroke.pressures is not None
    np.testing.assert_allclose(stroke.pressures, [0.2, 0.5, 0.9], atol=1e-3)


def test_the_eraser_end_of_a_pen_erases(pad: Pad) -> None:
    """The eraser end of a pen erases with any selected tool."""
    draw(pad, [[(100, 240), (380, 240)]])
    send_pen(pad, [(240, 200, 1), (240, 240, 1), (240, 280, 1)], QPointingDevice.PointerType.Eraser)
    assert len(pad.drawing.strokes) == 2
    assert not pad.erasing


def test_mouse_events_beside_a_pen_are_ignored(pad: Pad) -> None:
    """Only the device that started a stroke extends it; systems send mouse events along with pen events."""
    pen = QPointingDevice.PointerType.Pen
    QApplication.sendEvent(pad, pen_event(QEvent.Type.TabletPress, 100, 100, 0.5, pen))
    mouse(pad, QEvent.Type.MouseButtonPress, (300, 300))
    QApplication.sendEvent(pad, pen_event(QEvent.Type.TabletMove, 150, 150, 0.5, pen))
    mouse(pad, QEvent.Type.MouseMove, (350, 350))
    mouse(pad, QEvent.Type.MouseButtonRelease, (350, 350))
    QApplication.sendEvent(pad, pen_event(QEvent.Type.TabletRelease, 150, 150, 0, pen))
    np.testing.assert_allclose(pad.drawing.strokes[0].points, [(100, 100), (150, 150)])
    assert len(pad.drawing.strokes) == 1


def touch(pad: Pad, device: QPointingDevice) -> None:
    for finger_2 in (None, (300, 300)):
        sequence = QTest.touchEvent(pad, device)
        if finger_2 is None:
            sequence.press(0, pad.rect().center(), pad)
        else:
            sequence.move(0, pad.rect().center() / 2, pad).press(1, pad.rect().bottomRight(), pad)
        sequence.commit()
    QTest.touchEvent(pad, device).release(0, pad.rect().center() / 2, pad).release(
        1, pad.rect().bottomRight(), pad
    ).commit()


def test_the_first_finger_draws(pad: Pad) -> None:
    """Only the first finger draws."""
    touch(pad, QTest.createTouchDevice())
    (stroke,) = pad.drawing.strokes
    assert len(stroke.points) == 2


def test_touch_is_ignored_after_a_stylus(pad: Pad) -> None:
    """Touch is ignored once a stylus was used, because the hand rests on the pad."""
    send_pen(pad, [(100, 100, 0.5), (150, 150, 0.5), (150, 150, 0)])
    touch(pad, QTest.createTouchDevice())
    assert len(pad.drawing.strokes) == 1


def test_the_keyboard_draws(qtbot: QtBot, pad: Pad) -> None:
    """Space puts the pen down at the centre, arrow keys move it, and Space lifts it."""
    for key in (Qt.Key.Key_Space, *[Qt.Key.Key_Down] * 3, Qt.Key.Key_Right, Qt.Key.Key_Space):
        qtbot.keyClick(pad, key)
    qtbot.keyClick(pad, Qt.Key.Key_Left)
    (stroke,) = pad.drawing.strokes
    np.testing.assert_allclose(stroke.points, [(240, 240), (240, 256), (240, 272), (240, 288), (256, 288)])


def test_escape_discards_the_unfinished_stroke(qtbot: QtBot, pad: Pad) -> None:
    """Escape discards the unfinished stroke without an undo step."""
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Down, Qt.Key.Key_Escape):
        qtbot.keyClick(pad, key)
    assert pad.drawing.is_empty
    assert pad.undo_stack.count() == 0


def test_points_stay_on_the_canvas(pad: Pad) -> None:
    """Points outside the pad are clamped to its edge."""
    draw(pad, [[(400, 400), (600, 900)]])
    assert pad.drawing.strokes[0].points.max() == CANVAS_PX


@pytest.mark.parametrize("side", [240, 480, 960])
def test_network_input_does_not_depend_on_the_pad_size(pad: Pad, side: int) -> None:
    """The network input does not depend on the size of the pad."""
    pad.setFixedSize(side, side)
    draw(pad, placed(3, 0.2 * side, 0.2 * side, 0.6 * side))
    expected = Drawing(tuple(Stroke(np.array(path)) for path in placed(3, 96, 96, 288))).rasterize()
    difference = pad.drawing.rasterize().astype(int) - expected
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
@pytest.mark.parametrize("corner", [0.0, 1.0])
@pytest.mark.parametrize("pen_width_px", [8, 48])
def test_network_input_does_not_depend_on_size_position_or_pen(
    pad: Pad, share: float, corner: float, pen_width_px: int
) -> None:
    """The network input does not depend on the size and position of the drawing or on the pen width."""
    expected = Drawing(tuple(Stroke(np.array(path)) for path in placed(3, 0, 0, 480))).rasterize()
    pad.pen_width_px = pen_width_px
    free = 480 * (1 - share)
    draw(pad, placed(3, corner * free, corner * free, share * 480))
    assert np.abs(pad.drawing.rasterize().astype(int) - expected).max() <= 1


def test_ink_has_the_colour_of_the_theme(pad: Pad, theme: Theme) -> None:
    """Strokes are painted in the ink colour on the pad colour of the theme."""
    draw(pad, [[(100, 240), (380, 240)]])
    image = pad.grab().toImage()
    assert image.pixelColor(240, 240).name() == theme.tokens.ink
    assert image.pixelColor(240, 60).name() == theme.tokens.pad


DRAW_AND_PRINT = """
import sys, hashlib
from PySide6.QtWidgets import QApplication
from digitpad.gui.canvas.pad import Pad
from digitpad.gui.canvas.qt_images import to_rgba
from digitpad.gui.widgets.theme import Theme
from tests.unit.gui.hand import draw, placed
application = QApplication([])
pad = Pad(Theme(application))
pad.setFixedSize(480, 480)
pad.show()
draw(pad, placed(3, 100, 80, 300))
pad.grab()
sys.stdout.write(f"{pad.devicePixelRatioF()} {hashlib.sha256(pad.drawing.rasterize()).hexdigest()}")
"""


def test_network_input_does_not_depend_on_the_screen_scale() -> None:
    """The same strokes give the same network input at 1, 1.5 and 2 device pixels per pixel."""
    printed = []
    for factor in ("1", "1.5", "2"):
        environment = os.environ | {"QT_SCALE_FACTOR": factor}
        command = [sys.executable, "-c", DRAW_AND_PRINT]
        ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60)
        printed.append(ended.stdout.split())
    assert [ratio for ratio, _ in printed] == ["1.0", "1.5", "2.0"]
    assert len({digest for _, digest in printed}) == 1


def test_pen_discards_an_earlier_touch_stroke(pad: Pad) -> None:
    """A pen stroke discards a finger stroke that started before it."""
    device = QTest.createTouchDevice()
    QTest.touchEvent(pad, device).press(0, pad.rect().center(), pad).commit()
    send_pen(pad, [(100, 100, 0.5), (150, 150, 0.5), (150, 150, 0)])
    QTest.touchEvent(pad, device).release(0, pad.rect().center(), pad).commit()
    (stroke,) = pad.drawing.strokes
    assert stroke.pressures is not None


def test_undo_during_a_stroke_discards_it(pad: Pad) -> None:
    """Undo during a stroke discards the stroke, and releasing the button does not restore it."""
    draw(pad, [[(50, 50), (100, 100)]])
    mouse(pad, QEvent.Type.MouseButtonPress, (200, 200))
    mouse(pad, QEvent.Type.MouseMove, (300, 300))
    pad.undo_stack.undo()
    mouse(pad, QEvent.Type.MouseButtonRelease, (300, 300))
    assert pad.drawing.is_empty


def test_lost_mouse_release_does_not_join_strokes(pad: Pad) -> None:
    """After a lost mouse release, for example to a dialog, the next press starts a new stroke."""
    mouse(pad, QEvent.Type.MouseButtonPress, (50, 50))
    mouse(pad, QEvent.Type.MouseMove, (100, 100))
    draw(pad, [[(200, 200), (300, 300)]])
    assert [len(stroke.points) for stroke in pad.drawing.strokes] == [2, 2]


def test_long_stroke_looks_the_same_during_drawing_and_afterwards(pad: Pad) -> None:
    """A long stroke looks the same during drawing and afterwards."""
    angles = np.linspace(0, 30, 1500)
    path = [(240 + (20 + 6 * a) * np.cos(a), 240 + (20 + 6 * a) * np.sin(a)) for a in angles]
    mouse(pad, QEvent.Type.MouseButtonPress, path[0])
    for number, point in enumerate(path[1:]):
        mouse(pad, QEvent.Type.MouseMove, point)
        if number % 50 == 0:
            pad.grab()
    running = to_rgba(pad.grab().toImage()).astype(int)
    mouse(pad, QEvent.Type.MouseButtonRelease, path[-1])
    finished = to_rgba(pad.grab().toImage()).astype(int)
    assert (np.abs(running - finished).max(axis=2) > 64).mean() < 0.001


@pytest.mark.parametrize("eraser", [False, True])
def test_paste_during_a_stroke_replaces_the_whole_drawing(pad: Pad, eraser: bool) -> None:
    """A paste during a stroke discards the stroke, and undo restores the whole drawing before the stroke."""
    draw(pad, [[(100, 100), (300, 300)]])
    before, other = pad.drawing, Drawing((Stroke(np.array([[50.0, 400.0], [90.0, 400.0]])),))
    pad.set_erasing(eraser)
    mouse(pad, QEvent.Type.MouseButtonPress, (190, 190))
    mouse(pad, QEvent.Type.MouseMove, (210, 210))
    assert pad.is_drawing
    pad.replace(other, "Paste")
    assert not pad.is_drawing
    mouse(pad, QEvent.Type.MouseMove, (250, 400))
    mouse(pad, QEvent.Type.MouseButtonRelease, (250, 400))
    assert pad.drawing is other
    pad.undo_stack.undo()
    assert pad.drawing is before
    pad.undo_stack.redo()
    assert pad.drawing is other
