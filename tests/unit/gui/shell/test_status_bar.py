from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from digitpad.gui.shell.window import Window
from digitpad.runs.run import RunStatus
from tests.unit.gui.hand import find
from tests.unit.training.made_runs import made_run


def test_network_and_message_fit_beside_the_banner(qtbot: QtBot, window: Window) -> None:
    """The network and the message are shown completely, also next to the resume banner."""
    made_run(status=RunStatus.PAUSED)
    window.resize(1120, 800)
    window.banner.look()
    qtbot.waitUntil(window.banner.isVisible)
    window.session.say("Evaluated digits.npz on MNIST, test digits")
    weights, message = find(window, QLabel, "weights_in_use"), find(window, QLabel, "message")
    qtbot.waitUntil(lambda: message.text() == "Evaluated digits.npz on MNIST, test digits")
    assert weights.text() == weights.accessibleName() != ""


def test_long_network_name_is_shortened(qtbot: QtBot, window: Window) -> None:
    """A long network name is shortened to leave room for messages, and does not widen the window."""
    window.resize(window.minimumSize())
    weights, message = find(window, QLabel, "weights_in_use"), find(window, QLabel, "message")
    weights.set_text("weights" * 40)  # type: ignore[attr-defined]
    window.session.say("Saved")
    qtbot.waitUntil(lambda: message.text() == "Saved")
    assert "…" in weights.text()
    assert window.width() == window.minimumWidth()
