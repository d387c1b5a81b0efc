from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from digitpad.gui.shell.window import Window
from digitpad.runs.run import RunStatus
from tests.unit.gui.hand import find
from tests.unit.training.made_runs import made_run


def test_message_has_what_room_the_weights_leave(qtbot: QtBot, window: Window) -> None:
    """While a run is offered, too, both are to be read whole."""
    made_run(status=RunStatus.PAUSED)
    window.resize(1120, 800)
    window.banner.look()
    qtbot.waitUntil(window.banner.isVisible)
    window.session.say("Evaluated digits.npz on MNIST, test digits")
    weights, message = find(window, QLabel, "weights_in_use"), find(window, QLabel, "message")
    qtbot.waitUntil(lambda: message.text() == "Evaluated digits.npz on MNIST, test digits")
    assert weights.text() == weights.accessibleName() != ""


def test_weights_of_a_long_name_leave_room_for_messages(qtbot: QtBot, window: Window) -> None:
    """And do not widen the window."""
    window.resize(window.minimumSize())
    weights, message = find(window, QLabel, "weights_in_use"), find(window, QLabel, "message")
    weights.set_text("weights" * 40)  # type: ignore[attr-defined]
    window.session.say("Saved")
    qtbot.waitUntil(lambda: message.text() == "Saved")
    assert "…" in weights.text()
    assert window.width() == window.minimumWidth()
