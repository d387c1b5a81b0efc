"""Draw tab: pad and tools on the left, prediction and explanation on the right."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from digitpad.class_names import DIGITS, describe_names
from digitpad.gui.canvas.pad import DEFAULT_PEN_WIDTH_PX, PEN_WIDTHS_PX, Pad
from digitpad.gui.canvas.probability_bars import ProbabilityBars
from digitpad.gui.draw.correction_row import ConfirmButton, CorrectionRow
from digitpad.gui.draw.explanation_panel import ExplanationPanel
from digitpad.gui.draw.items_row import ItemsRow
from digitpad.gui.draw.non_digit_note import NonDigitNote
from digitpad.gui.session import Session
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, FittedLabel, make_card, make_label, named, set_role
from digitpad.gui.widgets.segmented_control import join_buttons
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.term_button import TermButton, explain
from digitpad.gui.widgets.text_size import follow_text_size, scale_with_text, scaled
from digitpad.number_format import format_percent
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.recognition.reading import Reading
    from digitpad.recognition.recognizer import Prediction

FRAME_MS = 12
"""Minimum time between predictions: less than a frame at 60 Hz, so that late input is still read within a frame."""

ANNOUNCE_AFTER_MS = 500

_ANSWER_PX, _CONFIDENCE_PX, _CARD_PX, _INPUT_PX = 104, 20, 138, 112
"""Sizes of the answer, its confidence, their card, and the network input, in a window of 1120 × 800."""

_BASE_PX = (1080, 680)
"""Size of the tab in that window; in a larger one the answer grows."""

_MINIMUM_PX = (900, 524)

_MIN_WIDE_PX = 150  # height of a wide pad
_ROOMY = 1.2  # growth from which a long number gets more room below a wide pad

MIN_GROWTH, MAX_GROWTH = 0.75, 2.0

_DROP = "or drop an image, a network, a dataset or a lesson"

MIN_GUESS = 0.01
"""Smallest probability of a class that is listed among the other guesses."""


class DrawTab(TabPage):
    """Tab with a drawing pad and the live prediction."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("draw_tab")
        self._session = session
        self._is_wide = False
        theme = session.theme
        self.prediction: Prediction | None = None
        self.pad = Pad(theme, session.undo_stack)
        self._bars = ProbabilityBars(theme)
        self._answer = FittedLabel("answer", scaled(_ANSWER_PX))
        self._answer.setProperty("role", "answer")
        self._confidence = FittedLabel("confidence", scaled(_CONFIDENCE_PX))
        self._confidence.setProperty("role", "strong")
        self._confidence.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._runners_up = ElidedLabel("soft", "runners_up")  # class names may be long
        self._time = ElidedLabel("soft", "reading_time")  # must not widen the card, or it would cover the pad
        self._note = NonDigitNote(session)
        self._answer_card = make_card("answer_card")
        self.items = ItemsRow()
        self.correction = CorrectionRow()
        self.confirm = ConfirmButton()
        self._about_correction = TermButton("correction")
        self.seen = ExplanationPanel(theme, self.pad, session.weights, lambda: session.selected_drawing)
        self._build()
        self._set_classes(session.weights.class_names)
        self._arrange(session.preferences.has_wide_pad)

        self.reading = Throttle(self._read, FRAME_MS, self)
        self.pad.drawing_changed.connect(lambda: session.set_drawing(lambda: self.pad.drawing))
        self.pad.settled.connect(session.settle_drawing)
        self.pad.customContextMenuRequested.connect(lambda place: session.show_pad_menu(self.pad.mapToGlobal(place)))
        self.pad.drawing_changed.connect(self.reading.request)
        session.drawing_replaced.connect(self.pad.replace)
        session.finger_drawing_changed.connect(lambda draws: setattr(self.pad, "draws_with_fingers", draws))
        self.pad.draws_with_fingers = session.preferences.draws_with_fingers
        session.network_changed.connect(self._follow_network)
        self.seen.set_explains(session.preferences.explains)
        self.seen.explains_toggled.connect(self._keep_explains)
        self.announcing = QTimer(self, singleShot=True, interval=ANNOUNCE_AFTER_MS)
        self.announcing.timeout.connect(self._announce)
        self.pad.drawing_changed.connect(self.announcing.stop)
        self.pad.settled.connect(self.announcing.start)
        self.items.chosen.connect(self._select)
        self.correction.corrected.connect(session.correct)
        self.confirm.clicked.connect(session.confirm)
        self.pad.box_chosen.connect(self._select)
        session.reading_changed.connect(self.reading.request)
        session.wide_pad_changed.connect(self._arrange)
        self.show_prediction(None)
        follow_text_size(self, self._fit)

    def _select(self, item: int) -> None:
        """Show another digit of a number."""
        self._session.select(item)
        self._read()
        self.seen.explain_again()

    def _keep_explains(self, explains: bool) -> None:
        self._session.preferences.explains = explains

    def _follow_network(self, weights: Weights) -> None:
        """Read the drawing with the new network."""
        self._set_classes(weights.class_names)
        self.seen.set_weights(weights)
        self._fit()
        self._read()

    def _set_classes(self, class_names: tuple[str, ...]) -> None:
        """Set the class names, and make room for the longest of them."""
        self._class_names = class_names
        self._bars.set_classes(class_names)
        self.pad.invite("Draw a digit" if class_names == DIGITS else "Draw here", _DROP)
        self._grow()

    def read_now(self) -> "Prediction | None":
        """Predict the current drawing without waiting for the next frame, and return the prediction."""
        self._read()
        return self.prediction

    def _read(self) -> None:
        session = self._session
        self.show_prediction(session.prediction, session.reading, session.selected)

    def show_prediction(
        self, prediction: "Prediction | None", reading: "Reading | None" = None, selected: int = 0
    ) -> None:
        """Show the prediction for the selected item of a reading."""
        self.prediction = prediction
        items = () if reading is None else reading.items
        self.pad.show_boxes(items if len(items) > 1 else (), selected)
        self.items.set_items(items, selected)
        can_correct = prediction is not None and self._class_names == DIGITS
        self.correction.setVisible(can_correct)
        self._about_correction.setVisible(can_correct)
        self.confirm.setVisible(can_correct and prediction is not None and prediction.sure)
        self.confirm.set_kept(self._session.kept_label if can_correct else None)
        self.seen.set_prediction(prediction)
        if prediction is None:
            self._bars.set_probabilities(None)
            digits = self._class_names == DIGITS
            self._set_answer("", "No digit yet" if digits else "Nothing yet")
            self._confidence.setText("Draw a digit" if digits else "Draw one of these")
            hint = "The prediction appears here while you draw."
            self._runners_up.set_text(hint if digits else describe_names(self._class_names))
            self._time.set_text("" if digits else hint)
            return
        self._bars.set_probabilities(prediction.probabilities, sure=prediction.sure)
        milliseconds = prediction.milliseconds if reading is None else reading.milliseconds
        reason = "" if prediction.correction is None else prediction.correction.said
        self._time.set_text(f"{reason[0].upper()}{reason[1:]}" if reason else f"Read in {milliseconds:.1f} ms")
        self._runners_up.setVisible(len(items) < 2)
        self._time.setVisible(len(items) < 2 or bool(reason))  # a small window has no room for both
        if reading is not None and len(items) > 1:
            self._set_answer(reading.text, f"Read as {reading.text}", unsure=not reading.sure)
            self._confidence.setText(f"{format_percent(reading.confidence)} sure" if reading.sure else "Not sure")
        elif prediction.sure:
            guesses = [
                f"{prediction.class_names[index]} ({format_percent(prediction.probabilities[index])})"
                for index in prediction.ranking[1:3]
                if prediction.probabilities[index] >= MIN_GUESS
            ]
            self._set_answer(prediction.label, f"Read as {prediction.label}")
            self._confidence.setText(f"{format_percent(prediction.confidence)} sure")
            self._runners_up.set_text(f"Other guesses: {', '.join(guesses)}" if guesses else "")
        else:
            guesses = [
                f"{prediction.class_names[index]} ({format_percent(prediction.probabilities[index], 0)})"
                for index in prediction.likely
            ]
            self._set_answer("?", "Not sure", unsure=True)
            self._confidence.setText("Not sure")
            self._runners_up.set_text(f"Could be {' or '.join(guesses)}" if guesses else self._rejection)

    @property
    def _rejection(self) -> str:
        return f"This doesn't look like {'a digit' if self._class_names == DIGITS else 'any of these classes'}"

    def _set_answer(self, text: str, accessible: str, *, unsure: bool = False) -> None:
        grows = (len(text) > 1) != (len(self._answer.text()) > 1)
        self._answer.setText(text)
        if grows:
            self._grow()
        self._answer.setAccessibleName(accessible)
        set_role(self._answer, "no answer" if unsure else "answer")

    def _announce(self) -> None:
        """Announce the prediction to screen readers, half a second after the last stroke."""
        if self.prediction is not None:
            reading = self._session.reading
            if reading is not None and len(reading.items) > 1:
                message = (
                    f"{reading.text}, {format_percent(reading.confidence)} sure"
                    if reading.sure
                    else (f"Not sure, could be {reading.text}")
                )
            elif self.prediction.sure:
                message = f"{self.prediction.label}, {format_percent(self.prediction.confidence)} sure"
            else:
                likely = [self.prediction.class_names[index] for index in self.prediction.likely]
                message = f"Not sure, could be {' or '.join(likely)}" if likely else f"Not sure. {self._rejection}"
            text = ". ".join(filter(None, [message, self.seen.finding]))
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.pad, text))

    # Layout.

    def _build(self) -> None:
        columns = self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        columns.setContentsMargins(5 * SPACE, 5 * SPACE, 5 * SPACE, 5 * SPACE)
        columns.setSpacing(5 * SPACE)
        left = QVBoxLayout()
        left.setSpacing(3 * SPACE)
        left.addWidget(self.pad)
        self._tools = self._build_tools()
        left.addWidget(self._tools)
        left.addWidget(self._note)
        left.addStretch(1)
        columns.addLayout(left)
        right = self._right = QGridLayout()
        right.setSpacing(4 * SPACE)
        self._cards = self._build_answer(), self._build_bars(), self.seen
        columns.addLayout(right, 1)

    def _arrange(self, wide: bool) -> None:
        """Put the prediction beside a square pad, or below a wide one."""
        self._is_wide = wide
        self._columns.setDirection(QBoxLayout.Direction.TopToBottom if wide else QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing((3 if wide else 5) * SPACE)
        # Row, column, and number of rows of the answer, the bars and the explanation.
        places = ((0, 0, 1), (0, 1, 2), (1, 0, 1)) if wide else ((0, 0, 1), (1, 0, 1), (2, 0, 1))
        for card, (row, column, n_rows) in zip(self._cards, places, strict=True):
            self._right.removeWidget(card)
            self._right.addWidget(card, row, column, n_rows, 1)
        self._right.setRowStretch(1, 1)
        for column in (0, 1):
            self._right.setColumnStretch(column, 1 if wide or column == 0 else 0)
        self._fit()

    def _build_tools(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * SPACE)
        pen, eraser = self._tool("Pen", "pen_tool", "P"), self._tool("Eraser", "eraser_tool", "E")
        segments = QHBoxLayout()
        join_buttons((pen, eraser), segments, self)
        pen.setChecked(True)
        eraser.toggled.connect(self.pad.set_erasing)
        self.pad.tool_changed.connect(lambda erasing: (eraser if erasing else pen).setChecked(True))
        row.addLayout(segments)

        name = make_label("Size", "soft")
        size = named(QSlider(Qt.Orientation.Horizontal), "pen_size")
        size.setRange(*PEN_WIDTHS_PX)
        size.setValue(DEFAULT_PEN_WIDTH_PX)
        scale_with_text(size, size.setMinimumWidth, 120)
        scale_with_text(size, size.setMaximumWidth, 220)
        size.setAccessibleName("Pen size")
        size.setToolTip("Pen width on screen. It doesn't change the network input.")
        size.valueChanged.connect(self._set_pen_width)
        row.addSpacing(SPACE)
        row.addWidget(name)
        row.addWidget(size, 1)
        row.addStretch(1)

        stack = self.pad.undo_stack
        undo = self._button("Undo", "undo", "Undo the last stroke", QKeySequence.StandardKey.Undo)
        redo = self._button("Redo", "redo", "Redo the last undone stroke", QKeySequence.StandardKey.Redo)
        clear = self._button("Clear", "clear", "Clear the pad", QKeySequence("Ctrl+Backspace"))
        undo.clicked.connect(stack.undo)
        redo.clicked.connect(stack.redo)
        clear.clicked.connect(self.pad.clear)
        for button, signal, is_enabled in (
            (undo, stack.canUndoChanged, stack.canUndo),
            (redo, stack.canRedoChanged, stack.canRedo),
        ):
            button.setEnabled(is_enabled())
            signal.connect(button.setEnabled)
        clear.setEnabled(False)
        self.pad.drawing_changed.connect(lambda: clear.setEnabled(not self.pad.is_empty))
        for button in (undo, redo, clear):
            row.addWidget(button)
        return tools

    def _tool(self, text: str, name: str, key: str) -> QPushButton:
        button = named(QPushButton(text), name)
        button.setShortcut(key)
        button.setToolTip(f"{text} ({key})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # the pad keeps the focus for its arrow keys
        return button

    def _button(self, text: str, name: str, tip: str, key: QKeySequence | QKeySequence.StandardKey) -> QPushButton:
        button = named(QPushButton(text), name)
        button.setToolTip(f"{tip} ({QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)})")
        return button

    def _build_answer(self) -> QWidget:
        frame = self._answer_card
        row = QHBoxLayout(frame)
        row.setContentsMargins(4 * SPACE, 2 * SPACE, 4 * SPACE, 2 * SPACE)
        row.setSpacing(5 * SPACE)
        row.addWidget(self._answer)
        column = QVBoxLayout()
        column.setSpacing(SPACE)
        column.addStretch(1)
        top = QHBoxLayout()
        top.addWidget(self._confidence, 1)
        top.addWidget(self.confirm)
        top.addWidget(self._about_correction)
        column.addLayout(top)
        for line in (self._runners_up, self.items, self.correction, self._time):
            column.addWidget(line)
        column.addStretch(1)
        row.addLayout(column, 1)
        return frame

    def _build_bars(self) -> QWidget:
        frame = make_card("bars_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        heading = make_label("Probabilities", "heading")
        explain(heading, "probability")
        column.addWidget(heading)
        column.addWidget(self._bars, 1)
        return frame

    def _set_pen_width(self, width_px: int) -> None:
        self.pad.pen_width_px = float(width_px)

    def _grow(self) -> None:
        """Fit the sizes of answer and network input to the size of the tab and the text."""
        width, height = _BASE_PX
        growth = min(max(MIN_GROWTH, min(self.width() / scaled(width), self.height() / scaled(height))), MAX_GROWTH)
        longest = max(*map(len, self._class_names), len(self._answer.text()))
        self._answer_card.setFixedHeight(round(scaled(_CARD_PX) * growth))
        self._answer.set_size(round(scaled(_ANSWER_PX) * growth))
        width = 100 if longest == 1 else 260 if self._is_wide and growth > _ROOMY else 132
        self._answer.setFixedWidth(round(scaled(width) * growth))
        self._confidence.set_size(round(scaled(_CONFIDENCE_PX) * growth))
        self._confidence.setFixedHeight(round(scaled(_CONFIDENCE_PX + 6) * growth))
        self.seen.set_input_size(round(scaled(_INPUT_PX) * growth))

    # Qt overrides.

    def minimumSizeHint(self) -> QSize:
        """Return a size that does not depend on how much the answer has grown."""
        return QSize(*map(scaled, _MINIMUM_PX))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        """Make the pad square, and as large as possible beside the prediction; or wide, and the prediction below it."""
        self._grow()
        margins = 2 * 5 * SPACE
        below = [widget for widget in (self._tools, self._note) if not widget.isHidden()]
        free_height = self.height() - margins - sum(widget.sizeHint().height() + 3 * SPACE for widget in below)
        if self._is_wide:
            width = self.width() - margins
            cards = sum(card.height() for card in (self._answer_card, self.seen)) + 4 * SPACE + 3 * SPACE
            self.pad.setFixedSize(width, max(scaled(_MIN_WIDE_PX), free_height - cards))
            for widget in (self._tools, self._note):
                widget.setFixedWidth(width)
            self._columns.activate()
            return
        tools_width = self._tools.minimumSizeHint().width()
        free_width = max(tools_width, round((self.width() - margins - 5 * SPACE) * 0.46))
        side = max(240, min(free_width, free_height))
        self.pad.setFixedSize(side, side)
        for widget in (self._tools, self._note):
            widget.setFixedWidth(max(side, tools_width))
        self._columns.activate()  # now, so that no widget is painted at its old position
