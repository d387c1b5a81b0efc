"""The status bar of the main window: the network in use, an interrupted run, and the last message."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.session import Session
from digitpad.gui.shell.resume_banner import ResumeBanner
from digitpad.gui.widgets.basics import ElidedLabel, status_row
from digitpad.number_format import format_percent
from digitpad.weights.native_format import Weights

_MIN_MESSAGE_PX = 120


class StatusBar(QWidget):
    """Status bar whose texts are elided if there is no room for them."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.banner = ResumeBanner(session)
        self._weights = ElidedLabel("caption", "weights_in_use")
        self._message = ElidedLabel("caption", "message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._message.setMinimumWidth(_MIN_MESSAGE_PX)
        row = status_row(self)
        row.setSpacing(24)
        # The network in use is shown whole; the message gets the rest.
        self._weights.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        row.addWidget(self._weights)
        row.addWidget(self.banner)
        row.addWidget(self._message, 1)
        session.message_changed.connect(self._message.set_text)
        session.network_changed.connect(self._show_network)
        session.runs_changed.connect(lambda: self._show_network(session.weights))
        self._show_network(session.weights)

    def _show_network(self, weights: Weights) -> None:
        """Show the name of a network and its accuracy."""
        accuracy = weights.test_accuracy
        dataset = f"the {weights.data_name}" if weights.data_name else "its"
        known = "" if accuracy is None else f" · {format_percent(accuracy)} on {dataset} test set"
        tested = weights.about.get("convention_accuracy")  # of imported networks, whose files state no accuracy
        if accuracy is None and isinstance(tested, float):
            known = f" · {format_percent(tested)} of {weights.about.get('convention_scored', 'validation digits')}"
        self._weights.set_text(f"{weights.name}{known}")
