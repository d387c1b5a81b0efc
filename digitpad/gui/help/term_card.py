"""The card of a term: a few words, a live picture, and a way into the help."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from digitpad.errors import DigitpadError
from digitpad.gui.help.digit_pictures import Subject
from digitpad.gui.help.pictures import PICTURE_PX, PictureView
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, link, make_label
from digitpad.gui.widgets.term_button import TermButton
from digitpad.gui.widgets.text_size import scaled
from digitpad.teaching.help_library import Term, find_term


class TermCard(QFrame):
    """Popup that explains a term; it closes with Esc, or with a click elsewhere.

    Parameters
    ----------
    term : Term
    session : Session
    parent : QWidget
    """

    def __init__(self, term: Term, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("term_card")
        self.setProperty("card", True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(term.title)
        self.setAccessibleDescription(term.card)
        self._session, self._term = session, term
        self._button = parent
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        title = make_label(term.title, "strong", "term_title")
        text = make_label(term.card, "", "term_text")
        text.setWordWrap(True)
        width = scaled(PICTURE_PX[0])
        text.setFixedWidth(width)
        text.setFixedHeight(text.heightForWidth(width))
        column.addWidget(title)
        column.addWidget(text)
        if term.picture:
            subject = Subject.of(session.selected_drawing, session.weights)
            column.addWidget(PictureView(session.theme, term.picture, subject))
        self.more = link("More in the help", "term_more", "Open the page of this term (Enter)")
        self.more.clicked.connect(self._open_help)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.more)
        column.addLayout(row)

    def show_at(self, button: QWidget) -> None:
        """Show the card below a widget, or above it if there is more room."""
        self._button = button
        self.adjustSize()
        self._keep_on_screen()
        self.show()
        self.more.setFocus(Qt.FocusReason.PopupFocusReason)

    def _keep_on_screen(self) -> None:
        screen, button = self._button.screen().availableGeometry(), self._button
        place = button.mapToGlobal(QPoint(0, button.height() + 2))
        above = button.mapToGlobal(QPoint(0, -self.height() - 2))
        if place.y() + self.height() > screen.bottom() and above.y() >= screen.top():
            place = above
        last = screen.bottomRight() + QPoint(1 - self.width(), 1 - self.height())
        self.move(max(screen.left(), min(place.x(), last.x())), max(screen.top(), min(place.y(), last.y())))

    def _open_help(self) -> None:
        self.close()
        self._session.help_requested.emit(self._term.page_name)

    # Qt overrides.

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follow the size, which the style sheet changes when the card is shown."""
        super().resizeEvent(event)
        self._keep_on_screen()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open_help()
        else:
            super().keyPressEvent(event)


def show_card(button: TermButton) -> TermCard | None:
    """Show the card of a button; return it, or None if the button is in no window of a session."""
    session = session_of(button)
    if session is None:
        return None
    try:
        term = find_term(button.term)
    except DigitpadError as error:
        session.raise_error("This term can't be shown", error)
        return None
    card = TermCard(term, session, button.window())
    card.show_at(button)
    return card


def session_of(widget: QWidget) -> Session | None:
    """Return the session of the window that a widget is in, or that owns its dialog."""
    parent: object = widget
    while isinstance(parent, QWidget):
        session = getattr(parent, "session", None)
        if isinstance(session, Session):
            return session
        parent = parent.parent()
    return None


def nearest_button(window: QWidget) -> TermButton | None:
    """Return the visible ⓘ nearest to the widget that has the focus, first of those in its row."""
    focus = QApplication.focusWidget() or window
    middle = focus.mapToGlobal(focus.rect().center())

    def distance(button: TermButton) -> int:
        place = button.mapToGlobal(button.rect().center())
        return 4 * abs(place.y() - middle.y()) + abs(place.x() - middle.x())

    shown = [button for button in window.findChildren(TermButton) if not button.visibleRegion().isEmpty()]
    return min(shown, key=distance, default=None)
