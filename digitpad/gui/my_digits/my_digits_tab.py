"""The My digits tab: the user's labelled drawings, writing more, import and export, and adaptation to them."""

from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from digitpad.evaluation.own_digit_scores import OwnDigitScores, score_own_digits
from digitpad.gui.my_digits.adapt_view import AdaptView
from digitpad.gui.my_digits.drawings_view import DrawingsView
from digitpad.gui.my_digits.transfer_menus import TransferMenus
from digitpad.gui.my_digits.wording import count_of, describe_score, drawings_of
from digitpad.gui.my_digits.write_view import WriteView
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, make_card, make_label, named
from digitpad.gui.widgets.segmented_control import SegmentedControl
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.text_size import scale_with_text

SCORE_MS = 300
"""Least time between readings of all drawings, while more are being written."""

DRAWINGS, WRITE, ADAPT = range(3)
_EMPTY = 3

_STEPS = (
    ("1", "Write your digits", "Five of each take two minutes. Or correct a wrong answer in the Draw tab."),
    ("2", "Adapt the network to them", "It learns your handwriting in seconds, and still reads other people's."),
    ("3", "See what it reads now", "Compare before and after, by digit and by writer, and keep it or not."),
)


class MyDigitsTab(TabPage):
    """Three views of My digits; without any drawing, the first one says how to begin."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("my_digits_tab")
        self._session = session
        self._corrections = session.corrections
        self._scoring = TaskRunner("own digit scores", Policy.LATEST, self)
        self._is_stale = True
        self._scores: OwnDigitScores | None = None
        self._problem = ""
        self.views = SegmentedControl(("Drawings", "Write", "Adapt"), "my_digits_view", "View", pages=True)
        self.drawings = DrawingsView(session)
        self.write = WriteView(session, np.random.default_rng())
        self.adapt = AdaptView(session)
        self.transfer = TransferMenus(session, lambda: self.drawings.shown, self)
        self._summary = ElidedLabel("soft", "my_digits_summary")
        self._unsaved = make_card("unsaved_card")
        self._unsaved_text = ElidedLabel("strong", "unsaved")
        self._pages = QStackedWidget()
        self._reading = Throttle(self._score, SCORE_MS, self)
        self._build()
        self._connect()
        self._show_view(DRAWINGS)
        self._follow_digits()

    # Commands of the menu.

    def write_digits(self) -> None:
        """Ask for digits to write."""
        self.views.choose(WRITE)

    def adapt_network(self) -> None:
        """Show the adaptation."""
        self.views.choose(ADAPT)

    def finish_work(self) -> str:
        """Return that an adapted network would be lost, if there is one; the window sees to the drawings."""
        return "" if self.adapt.result is None else "The adapted network has been neither kept nor discarded."

    # Showing.

    def _show_view(self, place: int) -> None:
        is_empty = place == DRAWINGS and self._corrections.is_open and not self._corrections.digits
        self._pages.setCurrentIndex(_EMPTY if is_empty else place)
        if place == WRITE:
            self.write.start()
        self._show_summary()
        self._read_if_needed()

    def _follow_digits(self) -> None:
        """Follow My digits, after a change in this window or in another one."""
        if self.views.current == DRAWINGS:
            self._show_view(DRAWINGS)
        self._unsaved.setVisible(self._corrections.has_unsaved)
        self._read_soon()

    def _read_soon(self) -> None:
        """Read all drawings with the network in use, once the tab is shown."""
        self._is_stale = True
        self._show_summary()
        self._read_if_needed()

    def _read_if_needed(self) -> None:
        """Read the drawings, unless more are being written or the tab is hidden."""
        if self._is_stale and self.isVisible() and self.views.current != WRITE:
            self._reading.request()

    def _follow_network(self) -> None:
        self._show_scores(None)
        self._read_soon()

    def _score(self) -> None:
        self._is_stale = False
        digits = self._corrections.digits
        if not any(digit.is_digit for digit in digits):
            self._scoring.cancel()
            self._show_scores(None)
            return
        self._scoring.start(
            partial(score_own_digits, self._session.weights, digits),
            finished=self._show_scores,
            failed=lambda error: self._show_scores(None, error_message(error)),
        )

    def _show_scores(self, scores: OwnDigitScores | None, problem: str = "") -> None:
        self._scores, self._problem = scores, problem
        self.drawings.set_scores(scores)
        self._show_summary()

    def _show_summary(self) -> None:
        """Say how many drawings there are, and how many of them the network in use reads correctly."""
        digits = self._corrections.digits
        if not digits:
            self._summary.set_text("" if self._corrections.is_open else "Reading My digits…")
            return
        n_writers = len({digit.writer for digit in digits})
        text = drawings_of(len(digits))
        if n_writers > 1:
            text += f" by {count_of(n_writers, 'writer', 'writers')}"
        if self._scores is not None and not self._is_stale:
            text += f" · {self._session.weights.name}: {describe_score(self._scores.total)}"
        elif self._problem:
            text += f" · {self._problem}"
        self._summary.set_text(text)

    def _save_again(self) -> None:
        if problem := self._corrections.save_again():
            self._session.say(problem)

    # Layout.

    def _connect(self) -> None:
        self.views.chosen.connect(self._show_view)
        self._corrections.digits_changed.connect(self._follow_digits)
        self._session.network_changed.connect(lambda _: self._follow_network())
        self.write.finished.connect(lambda: self.views.choose(DRAWINGS))
        self.write.adapt_requested.connect(lambda: self.views.choose(ADAPT))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(5 * SPACE, 4 * SPACE, 5 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        top = QHBoxLayout()
        top.setSpacing(2 * SPACE)
        top.addWidget(self.views)
        top.addSpacing(2 * SPACE)
        top.addWidget(self._summary, 1)
        top.addWidget(self.transfer.import_button)
        top.addWidget(self.transfer.export_button)
        column.addLayout(top)
        column.addWidget(self._build_unsaved())
        for view in (self.drawings, self.write, self.adapt, self._build_empty()):
            self._pages.addWidget(view)
        column.addWidget(self._pages, 1)

    def _build_unsaved(self) -> QWidget:
        row = QHBoxLayout(self._unsaved)
        row.setContentsMargins(3 * SPACE, SPACE, 2 * SPACE, SPACE)
        self._unsaved_text.set_text("The last changes are not on disk yet. They are kept in this window meanwhile.")
        again = named(QPushButton("Try again"), "save_again")
        again.clicked.connect(self._save_again)
        row.addWidget(self._unsaved_text, 1)
        row.addWidget(again)
        self._unsaved.setVisible(False)
        return self._unsaved

    def _build_empty(self) -> QWidget:
        """Return the page that says what the tab is for, as long as there are no drawings."""
        page = QWidget()
        outer = QVBoxLayout(page)
        outer.addStretch(1)
        card: QFrame = make_card("no_digits_card")
        scale_with_text(card, card.setMaximumWidth, 760)
        column = QVBoxLayout(card)
        column.setContentsMargins(8 * SPACE, 7 * SPACE, 8 * SPACE, 7 * SPACE)
        column.setSpacing(4 * SPACE)
        column.addWidget(make_label("Teach the network your handwriting", "figure"))
        for number, title, text in _STEPS:
            row = QHBoxLayout()
            row.setSpacing(4 * SPACE)
            row.addWidget(make_label(number, "figure"), 0, Qt.AlignmentFlag.AlignTop)
            words = QVBoxLayout()
            words.setSpacing(2)
            explanation = make_label(text, "soft")
            explanation.setWordWrap(True)
            words.addWidget(make_label(title, "strong"))
            words.addWidget(explanation)
            row.addLayout(words, 1)
            column.addLayout(row)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * SPACE)
        write = named(QPushButton("Write digits"), "start_writing")
        write.setProperty("kind", "primary")
        write.clicked.connect(self.write_digits)
        draw = named(QPushButton("Go to the Draw tab"), "go_to_draw")
        draw.clicked.connect(lambda: self._session.show_page("Draw"))
        buttons.addWidget(write)
        buttons.addWidget(draw)
        buttons.addStretch(1)
        column.addLayout(buttons)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(card, 6)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(2)
        return page

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        """Take over what other windows changed, and read the drawings if need be."""
        super().showEvent(event)
        if not self._corrections.is_open:
            self._corrections.follow(self._session.weights)
        self._corrections.refresh()
        self._read_if_needed()
