"""Dialog that offers to cancel while a network file is opened."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressDialog, QWidget

_DELAY_MS = 1000


class OpeningDialog(QProgressDialog):
    """Dialog that appears if opening a file takes longer than a second; "Cancel" and Esc emit ``canceled``.

    The window stays usable meanwhile.
    """

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(f"Opening {name}…", "Cancel", 0, 0, parent)
        self._name = name
        self.setObjectName("opening")
        self.setWindowTitle("Open network")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAutoClose(False)
        self.setAutoReset(False)
        self.setMinimumDuration(_DELAY_MS)

    def show_tested(self, n: int) -> None:
        """Show how many options were tested."""
        self.setLabelText(f"Opening {self._name}…\n{n:,} options tested")

    def finish(self) -> None:
        """Close the dialog, or do not let it appear."""
        self.canceled.disconnect()
        self.reset()
        self.deleteLater()
