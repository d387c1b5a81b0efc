"""The line at a window's foot: in the main one, which weights read, a run to go on with, and what was done last."""

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from digitpad.gui.shell.resume_banner import ResumeBanner
from digitpad.gui.widgets.basics import ElidedLabel, format_percent, make_label, named
from digitpad.system import blas_threads
from digitpad.weights.native_format import Weights

_MIN_MESSAGE_PX = 120


class StatusBar(QWidget):
    """Nothing in it is wider than there is room for."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self.offer = ResumeBanner(settings)
        self._weights = ElidedLabel("caption", "weights_in_use")
        self._message = ElidedLabel("caption", "message")
        self._message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._message.setMinimumWidth(_MIN_MESSAGE_PX)
        row = foot(self)
        row.setSpacing(24)
        # The weights in use are to be read whole, so what is left is the message's.
        self._weights.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        row.addWidget(self._weights)
        row.addWidget(self.offer)
        row.addWidget(self._message, 1)
        row.addWidget(
            make_label(
                f"{blas_threads.thread_count()} BLAS thread{'s' * (blas_threads.thread_count() > 1)} · float32",
                "caption",
            )
        )

    def say(self, text: str) -> None:
        """Tell of what was done last."""
        self._message.set_text(text)

    def show_weights(self, weights: Weights) -> None:
        """Tell which weights read, and how good they are."""
        accuracy = weights.test_accuracy
        whose = f"the {weights.data_name}" if weights.data_name else "its"
        known = "" if accuracy is None else f" · {format_percent(accuracy)} on {whose} test set"
        scored = weights.about.get("convention_accuracy")  # of other people's, which say nothing of themselves
        if accuracy is None and isinstance(scored, float):
            known = f" · {format_percent(scored)} of {weights.about.get('convention_scored', 'validation digits')}"
        self._weights.set_text(f"{weights.name}{known}")


def foot(widget: QWidget) -> QHBoxLayout:
    """Make a widget the line at a window's foot; what it holds comes into the layout."""
    named(widget, "status").setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    widget.setFixedHeight(29)
    row = QHBoxLayout(widget)
    row.setContentsMargins(14, 0, 14, 0)
    return row
