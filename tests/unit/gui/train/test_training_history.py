import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.train.training_history import MAX_MOMENTS, HistoryPoint, Scrubber, TrainingHistory
from digitpad.gui.widgets.theme import Theme


def moment(step: int, answer: tuple[float, ...] | None = None) -> HistoryPoint:
    return HistoryPoint(step, answer, np.full((1, 2, 2), step % 256, np.uint8))


def filled(n: int) -> TrainingHistory:
    moments = TrainingHistory()
    for step in range(1, n + 1):
        moments.add(moment(step, tuple(np.eye(10)[3] * 0.5)))
    return moments


def test_number_of_moments_is_limited() -> None:
    """Of 10,000 points at most MAX_MOMENTS + 1 are kept, evenly spaced from the first to the latest."""
    moments = filled(10_000)
    steps = [point.step for point in moments.kept]
    assert MAX_MOMENTS / 2 <= len(steps) <= MAX_MOMENTS + 1
    assert steps[0] == 1
    assert steps[-1] == 10_000
    assert len(set(np.diff(steps[:-1]))) == 1


def test_predictions_of_another_digit_are_removed() -> None:
    """Predictions for another digit are removed; the images stay."""
    moments = filled(3)
    moments.forget_answers()
    assert [point.answer for point in moments.kept] == [None] * 3
    assert [point.step for point in moments.kept] == [1, 2, 3]


@pytest.fixture
def scrubber(qtbot: QtBot, qapp: QApplication) -> Scrubber:
    widget = Scrubber(Theme(qapp))
    qtbot.addWidget(widget)
    widget.resize(208, 40)
    widget.show()
    return widget


def test_latest_point_is_shown_until_another_is_chosen(qtbot: QtBot, scrubber: Scrubber) -> None:
    """Dragging the scrubber shows an earlier point; at the right end it follows the latest point again."""
    assert scrubber.moment is None
    moments = filled(101)
    scrubber.set_moments(moments)
    assert scrubber.moment is moments.kept[-1]
    with qtbot.waitSignal(scrubber.moved):
        qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(104, 20))
    assert scrubber.is_back
    assert scrubber.moment is moments.kept[50]
    qtbot.mouseMove(scrubber, QPoint(4, 20))
    qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(0, 20))
    assert scrubber.moment is moments.kept[0]
    qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(207, 20))
    assert not scrubber.is_back
    moments.add(moment(500))
    assert scrubber.moment is not None
    assert scrubber.moment.step == 500


def test_chosen_point_is_kept(scrubber: Scrubber) -> None:
    """When points are dropped, the point nearest to the chosen step is shown."""
    moments = filled(MAX_MOMENTS)
    scrubber.set_moments(moments)
    for place in (100, 101):
        scrubber.go_to(place)
        before = moments.kept[place].step
        for step in range(moments.kept[-1].step + 1, moments.kept[-1].step + MAX_MOMENTS):
            moments.add(moment(step))
        scrubber.set_moments(moments)
        assert scrubber.is_back
        assert scrubber.moment is not None
        assert abs(scrubber.moment.step - before) <= moments.kept[2].step - moments.kept[1].step
        assert scrubber.moment is not moments.kept[place]


def test_keys_move_the_scrubber(qtbot: QtBot, scrubber: Scrubber) -> None:
    """Arrow keys move by a twentieth; Home and End move to the first and the latest point."""
    moments = filled(100)
    scrubber.set_moments(moments)
    places = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_Left, Qt.Key.Key_End):
        qtbot.keyClick(scrubber, key)
        assert scrubber.moment is not None
        places.append(moments.kept.index(scrubber.moment))
    assert places == [94, 89, 94, 0, 0, 99]
    assert scrubber.accessibleDescription() == "step 100"


def test_latest_point_is_shown_if_the_chosen_one_is_gone(scrubber: Scrubber) -> None:
    """The latest point is shown if the chosen point no longer exists."""
    scrubber.set_moments(filled(100))
    scrubber.go_to(80)
    scrubber.set_moments(filled(5))
    assert scrubber.moment is not None
    assert scrubber.moment.step == 5
    scrubber.set_moments(TrainingHistory())
    scrubber.grab()
    assert scrubber.moment is None
