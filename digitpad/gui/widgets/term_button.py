"""The small ⓘ beside a term, which shows a card that explains it."""

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from digitpad.gui.widgets.text_size import scale_with_text, scaled

SIDE_PX = 24
"""Side of the button: the smallest target that is easy to hit. The sign in it is smaller."""

_SIGN_PX = 13


class TermButton(QPushButton):
    """Shows the card of a term when it is pressed.

    Parameters
    ----------
    term : str
        Its file in ``resources/help/terms``, without the suffix.
    parent : QWidget, optional
    """

    def __init__(self, term: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.term = term
        name = term.replace("-", " ")
        self.setObjectName(f"term_{term.replace('-', '_')}")
        self.setAccessibleName(f"What is {name}?")
        self.setToolTip(f"What is {name}?")
        self.setProperty("kind", "term")
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus where it is
        scale_with_text(self, self.setFixedSize, SIDE_PX, SIDE_PX)
        self.clicked.connect(self.show_card)

    def show_card(self) -> None:
        """Show the card."""
        from digitpad.gui.help.term_card import show_card  # nothing of the help is imported before it is wanted

        show_card(self)

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(scaled(SIDE_PX), scaled(SIDE_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        role = QPalette.ColorRole
        marked = self.underMouse() or self.hasFocus() or self.isDown()
        colour = QApplication.palette().color(role.Accent if marked else role.PlaceholderText)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = scaled(_SIGN_PX)
        circle = QRectF(0, 0, side, side)
        circle.moveCenter(QPointF(self.width() / 2, self.height() / 2))
        painter.setPen(QPen(colour, 1.2))
        painter.drawEllipse(circle)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colour), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        font = QFont(self.font())
        font.setPixelSize(round(side * 0.72))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(colour)
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, "i")
        painter.end()


def explain(label: QLabel, term: str) -> TermButton:
    """Put the ⓘ of a term right after the text of a label; it is shown and hidden with the label."""
    return _Follower(label, TermButton(term, label)).button


class _Follower(QObject):
    """Keeps the button after the text of its label."""

    def __init__(self, label: QLabel, button: TermButton) -> None:
        super().__init__(button)
        self._label, self.button = label, button
        label.installEventFilter(self)
        scale_with_text(label, self._make_room, SIDE_PX)

    def _make_room(self, side_px: int) -> None:
        self._label.setContentsMargins(0, 0, side_px, 0)
        self._label.setMinimumHeight(side_px)
        self._place()

    def _place(self) -> None:
        label, button = self._label, self.button
        end = label.fontMetrics().horizontalAdvance(label.text())
        x, y = max(0, min(end, label.width() - button.width())), (label.height() - button.height()) // 2
        if (button.x(), button.y()) != (x, y):
            button.move(x, y)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Paint):  # its text may have changed
            self._place()
        return False
