"""What the user says of the answer: that it is right, or what it was."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from digitpad.class_names import DIGITS
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import make_label
from digitpad.gui.widgets.text_size import scale_with_text
from digitpad.nn.losses import NONE


class CorrectionRow(QWidget):
    """Buttons for the true digit; each adds the drawing to My digits, so that similar ones are read right at once."""

    corrected = Signal(int)  # the true digit, or `NONE`

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("correction")
        self.setAccessibleName("Correct the answer")
        set_accessible_role(self, Role.Grouping)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def setVisible(self, visible: bool) -> None:
        if visible and self.layout() is None:  # the buttons are made when there is an answer
            self._add_buttons(QHBoxLayout(self))
        super().setVisible(visible)

    def _add_buttons(self, row: QHBoxLayout) -> None:
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        caption = make_label("It was", "caption")
        caption.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        row.addWidget(caption)
        for label, text, tip in (
            *((digit, text, f"It was a {text} (Alt+{text})") for digit, text in enumerate(DIGITS)),
            (NONE, "✕", "It was not a digit"),
        ):
            button = QPushButton(text)
            button.setObjectName(f"was_{text}" if label != NONE else "was_none")
            button.setProperty("kind", "link")
            button.setAccessibleName(tip.partition(" (")[0])
            button.setToolTip(f"{tip}; read drawings like it so from now on. Undo takes it back.")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if label != NONE:
                button.setShortcut(f"Alt+{text}")
            scale_with_text(button, button.setMinimumWidth, 16)
            scale_with_text(button, button.setMaximumWidth, 28)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _=False, label=label: self.corrected.emit(label))
            row.addWidget(button)
        row.addStretch(0)


class ConfirmButton(QPushButton):
    """Button that keeps the drawing as what was read; once it is kept, says so."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("was_right")
        self.setProperty("kind", "link")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setShortcut("Alt+Return")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_kept(None)

    def set_kept(self, label: int | None) -> None:
        """Show the label with which the drawing is in My digits; None if it is not there."""
        self.setText("Right? ✓" if label is None else "✓ Kept")
        self.setEnabled(label is None)
        what = "not a digit" if label == NONE else f"a {label}"
        tip = "It was read correctly (Alt+Enter); keep it in My digits. Undo takes it back."
        self.setToolTip(tip if label is None else f"In My digits as {what}")
        self.setAccessibleName("The answer is right" if label is None else f"Kept as {what}")
        self.setShortcut("Alt+Return")  # setText removes it
