"""Label that keeps room for its longest text, so that nothing moves when its text changes."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel

from digitpad.gui.widgets.theme import fixed_width_digits


class ReservedLabel(QLabel):
    """Label as wide as the longest of some texts, in any font; a longer text is elided, and shown in the tooltip.

    Parameters
    ----------
    role : str
        Role of the style sheet, as for `make_label`.
    name : str
        Object name.
    longest : sequence of str
        Texts to keep room for.
    """

    def __init__(self, role: str, name: str, longest: Sequence[str]) -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(fixed_width_digits(self.font()))
        self._longest = longest

    def set_text(self, text: str) -> None:
        """Show a text, elided in its middle if it is too long."""
        elided = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, self._width_px)
        self.setText(elided)
        self.setToolTip(text if elided != text else "")
        self.setAccessibleName(text)

    @property
    def _width_px(self) -> int:
        self.ensurePolished()  # the style sheet sets the font
        return max(map(self.fontMetrics().horizontalAdvance, self._longest)) + 2

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(self._width_px, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()
