"""Writing: asks for digits one after another, and saves each drawing at once."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QHideEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from digitpad.datasets.own_digits.records import MAX_TEXT, WRITING, OwnDigit
from digitpad.gui.canvas.pad import Pad
from digitpad.gui.my_digits.wording import count_of
from digitpad.gui.my_digits.writing_round import WritingRound, next_writer
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, FittedLabel, make_card, make_label, named
from digitpad.gui.widgets.form_widgets import Check, Choice
from digitpad.gui.widgets.text_size import follow_text_size, scale_with_text, scaled
from digitpad.ink.drawing import Drawing

ADVANCE_MS = 900
"""Time after the last stroke until the next digit is asked for; a second stroke begins earlier."""

N_EACH = 5
_CHOICES = (1, 2, 3, 5, 10, 20)
_SIDE_PX = 300


class WriteView(QWidget):
    """A pad, the digit to write, and the writer's name."""

    finished = Signal()  # the user is done with writing
    adapt_requested = Signal()

    def __init__(self, session: Session, rng: np.random.Generator) -> None:
        super().__init__()
        self._session = session
        self._corrections = session.corrections
        self._rng = rng
        self.pad = Pad(session.theme)
        self.pad.setObjectName("write_pad")
        self.pad.invite("Write here")
        self.writer = named(Choice(), "writer")
        self.writer.setEditable(True)
        self._each = named(Choice(), "n_each")
        self._advances = named(Check("Next by itself"), "advance")
        self._ask = make_label("Write a", "soft", "write_ask")
        self._prompt = FittedLabel("prompt", scaled(150))
        self._following = make_label("", "caption", "following")
        self._progress = named(QProgressBar(textVisible=False), "write_progress")
        self._count = make_label("", "soft", "write_count")
        self._done = QLabel()
        self._next = named(QPushButton("Next"), "next_digit")
        self._back = named(QPushButton("Back"), "previous_digit")
        self._skip = named(QPushButton("Skip"), "skip_digit")
        self._clear = named(QPushButton("Clear"), "clear_digit")
        self._again = named(QPushButton("Same writer again"), "write_more")
        self._next_writer = named(QPushButton("Next writer"), "next_writer")
        self._adapt = named(QPushButton("Adapt to my digits…"), "adapt_after_writing")
        self._pages = QStackedWidget()
        self._advancing = named(QTimer(self, singleShot=True, interval=ADVANCE_MS), "advancing")
        self._build()
        self._connect()
        self.round = WritingRound(N_EACH, rng)
        self._show()

    def start(self) -> None:
        """Start a round, unless one is under way."""
        self._offer_writers()
        if self.round.prompt is None or not self.round.kept:
            self._begin()
        self.pad.setFocus()

    def keep(self) -> None:
        """Save the drawing for the digit that was asked for, and go to the next one."""
        self._advancing.stop()
        prompt = self.round.prompt
        if prompt is None or self.pad.is_empty or self.pad.is_drawing:
            return
        digit = OwnDigit.from_drawing(self.pad.drawing, prompt, writer=self.writer_name, source=WRITING)
        self._corrections.add([digit], f"Write a {prompt}")
        self.round.keep(digit.id)
        self._empty_pad()
        self._show()

    def skip(self) -> None:
        """Ask for the next digit, and drop what is on the pad."""
        self._advancing.stop()
        self.round.skip()
        self._empty_pad()
        self._show()

    def back(self) -> None:
        """Return to the digit before; its drawing is taken out of My digits, and is on the pad again."""
        self._advancing.stop()
        identifier = self.round.back()
        digit = next((digit for digit in self._corrections.digits if digit.id == identifier), None)
        self._empty_pad()
        if digit is not None:
            self._corrections.edit("Write again", lambda store: store.delete([identifier]))
            self.pad.replace(digit.drawing, "Back")
            self._advancing.stop()  # the user looks at it first
        self._show()

    def undo(self) -> None:
        """Take the last stroke back, or on an empty pad return to the digit before."""
        if self.pad.is_empty:
            self.back()
        else:
            self._advancing.stop()
            self.pad.undo_stack.undo()

    @property
    def writer_name(self) -> str:
        """Name or number of the writer."""
        return self.writer.currentText().strip()[:MAX_TEXT]

    # Rounds.

    def _begin(self) -> None:
        self.round = WritingRound(self._each.currentData(), self._rng)
        self._empty_pad()
        self._show()
        self.pad.setFocus()

    def _begin_next_writer(self) -> None:
        name = next_writer(self.writer_name)
        self._offer_writers()
        self.writer.setCurrentText(name)
        self._begin()
        if not name:
            self.writer.setFocus()

    def _change_length(self) -> None:
        """Ask for more or fewer of each digit: from now on, if nothing has been written yet."""
        if not self.round.kept:
            self._begin()

    def _offer_writers(self) -> None:
        name = self.writer.currentText()
        names = sorted({digit.writer for digit in self._corrections.digits} - {""})
        self.writer.blockSignals(True)
        self.writer.clear()
        self.writer.addItems(names)
        self.writer.setCurrentText(name)
        self.writer.blockSignals(False)

    def _empty_pad(self) -> None:
        self.pad.replace(Drawing(), "Next")
        self.pad.undo_stack.clear()
        self._advancing.stop()

    # Showing.

    def _show(self) -> None:
        round_, prompt = self.round, self.round.prompt
        n, total = len(round_.kept), len(round_.prompts)
        self._progress.setRange(0, total)
        self._progress.setValue(round_.place)
        text = f"{min(round_.place + 1, total)} of {total}"
        self._count.setText(text if prompt is not None else f"{n} of {total} written")
        self._back.setEnabled(round_.place > 0)
        self._skip.setEnabled(prompt is not None)
        self._pages.setCurrentIndex(0 if prompt is not None else 1)
        self.pad.setEnabled(prompt is not None)
        self._show_buttons()
        if prompt is None:
            by = f" by {self.writer_name}" if self.writer_name else ""
            self._done.setText(f"{count_of(n, 'digit', 'digits')}{by} saved in My digits.")
            self._announce(self._done.text())
            return
        self._prompt.setText(str(prompt))
        self._prompt.setAccessibleName(f"Write a {prompt}")
        following = "  ".join(map(str, round_.following))
        self._following.setText(f"then  {following}" if following else "the last one")
        self._announce(f"Write a {prompt}. {text}")

    def _show_buttons(self) -> None:
        has_ink = not self.pad.is_empty and self.round.prompt is not None
        self._next.setEnabled(has_ink)
        self._clear.setEnabled(has_ink)

    def _announce(self, text: str) -> None:
        if self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.pad, text))

    def _stroke_ended(self) -> None:
        if self._advances.isChecked() and not self.pad.is_empty and self.round.prompt is not None:
            self._advancing.start()

    # Layout.

    def _connect(self) -> None:
        pad = self.pad
        pad.draws_with_fingers = self._session.preferences.draws_with_fingers
        self._session.finger_drawing_changed.connect(lambda draws: setattr(pad, "draws_with_fingers", draws))
        pad.drawing_changed.connect(self._advancing.stop)
        pad.drawing_changed.connect(self._show_buttons)
        pad.settled.connect(self._stroke_ended)
        self._advancing.timeout.connect(self.keep)
        buttons: tuple[tuple[QPushButton, Callable[[], None]], ...] = (
            (self._next, self.keep),
            (self._back, self.back),
            (self._skip, self.skip),
            (self._clear, pad.clear),
            (self._again, self._begin),
            (self._next_writer, self._begin_next_writer),
        )
        for button, act in buttons:
            button.clicked.connect(act)
        self._adapt.clicked.connect(self.adapt_requested)
        undo = QAction(self)
        undo.setShortcuts(QKeySequence.StandardKey.Undo)
        undo.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.triggered.connect(self.undo)
        self.addAction(undo)
        self._each.edited.connect(self._change_length)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5 * SPACE)
        row.addStretch(1)
        row.addWidget(self.pad, 0, Qt.AlignmentFlag.AlignVCenter)
        side = QVBoxLayout()
        side.setSpacing(3 * SPACE)
        side.addWidget(self._build_writer())
        self._pages.addWidget(self._build_prompt())
        self._pages.addWidget(self._build_end())
        side.addWidget(self._pages, 1)
        holder = QWidget()
        holder.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        scale_with_text(holder, holder.setFixedWidth, _SIDE_PX)
        row.addWidget(holder)
        row.addStretch(1)
        follow_text_size(self, self._fit)

    def _build_writer(self) -> QWidget:
        card = make_card("writer_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        line = QHBoxLayout()
        label = make_label("Writer", "soft")
        label.setBuddy(self.writer)
        line.addWidget(label)
        self.writer.setAccessibleName("Writer: name or number")
        self.writer.setToolTip("Name or number of who writes; leave it empty if you alone write")
        self.writer.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        edit = self.writer.lineEdit()
        assert edit is not None
        edit.setAccessibleName("Writer: name or number")
        edit.setPlaceholderText("Name or number")
        edit.setMaxLength(MAX_TEXT)
        edit.returnPressed.connect(self.pad.setFocus)
        line.addWidget(self.writer, 1)
        column.addLayout(line)
        line = QHBoxLayout()
        line.setSpacing(2 * SPACE)
        for n in _CHOICES:
            self._each.addItem(f"{n} of each", n)
        self._each.setCurrentIndex(_CHOICES.index(N_EACH))
        self._each.setAccessibleName("How many of each digit")
        self._advances.setChecked(True)
        self._advances.setToolTip("Ask for the next digit a second after the last stroke; else press Next")
        line.addWidget(self._each)
        line.addStretch(1)
        line.addWidget(self._advances)
        column.addLayout(line)
        return card

    def _build_prompt(self) -> QWidget:
        card = make_card("prompt_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        self._prompt.setProperty("role", "answer")
        self._prompt.setMinimumHeight(60)
        for label in (self._ask, self._following, self._count):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._progress.setFixedHeight(5)
        self._progress.setAccessibleName("Progress")
        column.addWidget(self._ask)
        column.addWidget(self._prompt, 1)
        column.addWidget(self._following)
        column.addWidget(self._progress)
        column.addWidget(self._count)
        first, second = QHBoxLayout(), QHBoxLayout()
        self._next.setProperty("kind", "primary")
        self._next.setToolTip("Save this drawing and ask for the next digit (Enter)")
        self._next.setShortcut("Return")
        self._back.setToolTip("Write the digit before again (Ctrl+Z on an empty pad)")
        self._skip.setToolTip("Ask for the next digit without saving")
        self._clear.setToolTip("Clear the pad")
        first.addWidget(self._next, 1)
        for button in (self._back, self._skip, self._clear):
            button.setProperty("tight", True)
            second.addWidget(button, 1)
        for line in (first, second):
            line.setSpacing(2 * SPACE)
            column.addLayout(line)
        return card

    def _build_end(self) -> QWidget:
        card = make_card("written_card")
        column = QVBoxLayout(card)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        self._done.setWordWrap(True)
        self._done.setObjectName("written")
        column.addWidget(make_label("Done", "figure"))
        column.addWidget(self._done)
        column.addStretch(1)
        see = named(QPushButton("See my digits"), "see_digits")
        see.clicked.connect(self.finished)
        self._next_writer.setToolTip("Another person writes; a number is counted up")
        for button in (self._next_writer, self._again, see, self._adapt):
            column.addWidget(button)
        return card

    # Qt overrides.

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(_SIDE_PX) + 5 * SPACE + 240, scaled(380))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Keep what has been written when another tab is shown."""
        if self._advancing.isActive():
            self.keep()
        super().hideEvent(event)

    def _fit(self) -> None:
        side = max(240, min(self.width() - scaled(_SIDE_PX) - 5 * SPACE, self.height()))
        self.pad.setFixedSize(side, side)
        self._prompt.set_size(scaled(200))
