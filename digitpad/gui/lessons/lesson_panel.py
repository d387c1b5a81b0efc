"""The panel of a lesson: its introduction, its steps, and its question, a page at a time."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, link, make_label, named, set_kind
from digitpad.gui.widgets.text_size import scaled
from digitpad.teaching.lesson import Lesson, Step

SIDE_PX, BOTTOM_PX = 310, 156
"""Width of the panel at the side of the window, and its height at the bottom."""

WAITING, DONE = "○ Do this step, or skip it", "✓ Done"


class LessonPanel(QFrame):
    """Shows one page of a lesson: page 0 is the introduction, the last may be the question.

    Parameters
    ----------
    lesson : Lesson
    """

    page_changed = Signal(int)
    left = Signal()  # the user leaves the lesson, or has finished it

    def __init__(self, lesson: Lesson) -> None:
        super().__init__()
        self.lesson = lesson
        self.setObjectName("lesson_panel")
        self.setProperty("card", True)
        self.setAccessibleName(f"Lesson: {lesson.title}")
        self.page = 0
        self._is_done = False
        self._shows_answer = False
        self._number = make_label("", "caption", "lesson_number")
        self._title = make_label("", "strong", "lesson_title")
        self._title.setWordWrap(True)
        self._text = named(QLabel(), "lesson_text")
        self._state = make_label("", "soft", "lesson_state")
        self._back = named(QPushButton("Back"), "lesson_back")
        self.next = named(QPushButton("Start"), "lesson_next")
        self._answer = named(QPushButton("Show the answer"), "lesson_answer")
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._build()
        self._show()

    @property
    def n_pages(self) -> int:
        """Number of pages."""
        return 1 + len(self.lesson.steps) + bool(self.lesson.question)

    @property
    def step(self) -> Step | None:
        """The step that is shown; None on the first page and on the page of the question."""
        return self.lesson.steps[self.page - 1] if 1 <= self.page <= len(self.lesson.steps) else None

    @property
    def is_done(self) -> bool:
        """Whether the step that is shown was done, or has nothing to wait for."""
        return self._is_done

    def set_done(self) -> None:
        """Show that the step was done; it stays so."""
        if not self._is_done:
            self._is_done = True
            self._show_state()
            if self.step is not None and self.step.check is not None:
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, f"Done: {self.step.title}"))

    def turn(self, by: int) -> None:
        """Show another page; after the last one, leave the lesson."""
        page = self.page + by
        if page >= self.n_pages:
            self.left.emit()
        elif page >= 0:
            self.page = page
            self._shows_answer = False
            self._show()
            self.page_changed.emit(page)

    def show_answer(self) -> None:
        """Show the answer of the question below it."""
        self._shows_answer = True
        self._show()

    def stand(self, *, at_side: bool) -> None:
        """Arrange the panel for the side of the window, or for its bottom."""
        direction = QBoxLayout.Direction
        self._layout.setDirection(direction.TopToBottom if at_side else direction.LeftToRight)
        self._foot.setDirection(direction.BottomToTop if not at_side else direction.TopToBottom)
        no_limit = 16_777_215
        if at_side:
            self.setFixedWidth(scaled(SIDE_PX))
            self.setMinimumHeight(0)
            self.setMaximumHeight(no_limit)
        else:
            self.setMinimumWidth(0)
            self.setMaximumWidth(no_limit)
            self.setFixedHeight(scaled(BOTTOM_PX))

    def _show(self) -> None:
        lesson, step = self.lesson, self.step
        n_steps = len(lesson.steps)
        if step is not None:
            title, text, number = step.title, step.text, f"Step {self.page} of {n_steps}"
        elif self.page == 0:
            about = f", about {lesson.minutes} minutes" if lesson.minutes else ""
            title, text, number = lesson.title, lesson.introduction, f"{n_steps} steps{about}"
        else:
            title, text, number = "A question", lesson.question, "Think first"
            if self._shows_answer:
                text = f"{text}\n\n**Answer.** {lesson.answer}"
        self._title.setText(title)
        self._number.setText(number)
        self._text.setText(text)
        self._answer.setVisible(step is None and self.page > 0 and not self._shows_answer)
        self._back.setEnabled(self.page > 0)
        self._is_done = step is None or step.check is None
        self._scroll.verticalScrollBar().setValue(0)
        self._show_state()

    def _show_state(self) -> None:
        step = self.step
        waits = step is not None and step.check is not None
        self._state.setText("" if not waits else DONE if self._is_done else WAITING)
        last = self.page == self.n_pages - 1
        text = "Start" if self.page == 0 else "Finish" if last else "Next"
        self.next.setText(text if self._is_done else "Skip")
        set_kind(self.next, "primary" if self._is_done else "")

    def _build(self) -> None:
        self._text.setTextFormat(Qt.TextFormat.MarkdownText)
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._scroll = named(QScrollArea(), "lesson_scroll")
        self._scroll.setAccessibleName("Text of the lesson")
        set_accessible_role(self._scroll, Role.Pane)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE, 0)
        column.setSpacing(SPACE)
        name = ElidedLabel("heading", "lesson_name")
        name.set_text(self.lesson.title)
        for label in (name, self._number, self._title, self._text):
            column.addWidget(label)
        column.addStretch(1)
        self._scroll.setWidget(inside)
        self._scroll.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._layout.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        self._layout.setSpacing(3 * SPACE)
        self._layout.addWidget(self._scroll, 1)
        self._foot = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._foot.setSpacing(SPACE)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        self._back.clicked.connect(lambda: self.turn(-1))
        self.next.clicked.connect(lambda: self.turn(1))
        self._answer.clicked.connect(self.show_answer)
        leave = link("Leave the lesson", "lesson_leave", "Close this panel; the window stays as it is")
        leave.clicked.connect(self.left)
        for button in (self._back, self.next):
            button.setMinimumWidth(scaled(72))
            row.addWidget(button, 1)
        self._foot.addWidget(self._state)
        self._foot.addWidget(self._answer)
        self._foot.addLayout(row)
        self._foot.addWidget(leave)
        self._layout.addLayout(self._foot)
