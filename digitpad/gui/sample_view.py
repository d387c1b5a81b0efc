"""Twenty-five digits drawn at random, as read: a quick look at what the figures mean."""

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from digitpad.assessment.assessment import Assessment
from digitpad.gui.digit_sheet import DigitSheet
from digitpad.gui.theme import Theme
from digitpad.gui.widgets import SPACE, card, label, named, percent

SIDE = 5  # digits a row, and rows


class SampleGrid(QWidget):
    """Five times five digits, each with what it was read as and what it is."""

    opened = Signal(int)  # the place of a digit

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._made: Assessment | None = None
        self._sheet: DigitSheet | None = None
        self.places: list[int] = []
        self._current = 0
        self.setObjectName("sample_grid")
        self.setAccessibleName("Digits drawn at random")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(SIDE * 120, SIDE * 50)
        theme.changed.connect(self.update)

    def set_places(self, made: Assessment, sheet: DigitSheet, places: list[int]) -> None:
        """Show these digits of an assessment."""
        self._made, self._sheet, self.places = made, sheet, places
        self._go_to(min(self._current, max(0, len(places) - 1)))

    def _go_to(self, current: int) -> None:
        self._current = current
        if self._made is not None and self.places:
            place = self.places[current]
            digit, read_as = self._made.digits.labels[place], self._made.predicted[place]
            self.setAccessibleDescription(f"{digit} read as {read_as}")
        self.update()

    def cell(self, number: int) -> QRectF:
        """Where a digit of the sample lies."""
        width, height = self.width() / SIDE, self.height() / SIDE
        return QRectF(number % SIDE * width, number // SIDE * height, width, height)

    # Overrides of Qt's.

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for number in range(len(self.places)):
            if self.cell(number).contains(event.position()):
                self._go_to(number)
                self.opened.emit(self.places[number])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -SIDE, Qt.Key.Key_Down: SIDE}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            if 0 <= self._current + step < len(self.places):
                self._go_to(self._current + step)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.places:
            self.opened.emit(self.places[self._current])
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        made, sheet = self._made, self._sheet
        if made is None or sheet is None:
            return
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for number, place in enumerate(self.places):
            cell = self.cell(number)
            side = min(cell.height() - 12, cell.width() * 0.5, 112)
            image = QRectF(cell.left() + 6, cell.center().y() - side / 2, side, side)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, side > 56)
            sheet.paint(painter, image, place)
            digit, read_as = int(made.digits.labels[place]), int(made.predicted[place])
            right = digit == read_as
            words = QRectF(image.right() + 14, cell.center().y() - 27, cell.right() - image.right() - 14, 32)
            font = painter.font()
            font.setPixelSize(22)
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(QColor(tokens.good if right else tokens.bad))
            painter.drawText(words, left, str(read_as))
            font.setPixelSize(12)
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft if right else tokens.bad))
            said = f"is {digit} · {percent(float(made.confidences[place]))}"
            painter.drawText(words.translated(0, 26).adjusted(0, 4, 0, -8), left, said)
            if self.hasFocus() and number == self._current:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(QColor(tokens.accent), 2))
                painter.drawRoundedRect(cell.adjusted(1, 1, -3, -1), 7, 7)
        painter.end()


class SampleView(QWidget):
    """The grid, how many of it are right, and a button for others."""

    def __init__(self, theme: Theme, rng: np.random.Generator) -> None:
        super().__init__()
        self._rng = rng
        self._made: Assessment | None = None
        self._sheet: DigitSheet | None = None
        self.grid = SampleGrid(theme)
        self._said = label("", "soft", "sample_said")
        self._again = named(QPushButton("Another 25"), "another_sample")
        self._again.setShortcut("R")
        self._again.setToolTip("Draw other digits (R)")
        self._again.clicked.connect(self.draw)
        frame = card("sample_card")
        column = QVBoxLayout(frame)
        column.setContentsMargins(4 * SPACE, 3 * SPACE, 4 * SPACE, 3 * SPACE)
        column.setSpacing(2 * SPACE)
        row = QHBoxLayout()
        row.addWidget(self._said)
        row.addStretch(1)
        row.addWidget(self._again)
        column.addLayout(row)
        column.addWidget(self.grid, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set_assessment(self, made: Assessment, sheet: DigitSheet) -> None:
        """Draw from the digits of this one."""
        self._made, self._sheet = made, sheet
        self.draw()

    def draw(self) -> None:
        """Draw 25 digits, or all where there are fewer."""
        made, sheet = self._made, self._sheet
        if made is None or sheet is None:
            return
        n = len(made.digits)
        places = self._rng.choice(n, min(SIDE**2, n), replace=False).tolist()
        self.grid.set_places(made, sheet, places)
        n_right = int(made.right[places].sum())
        self._said.setText(
            f"{len(places)} {made.part} digits drawn at random: {n_right} read right. Large, the answer; below it, "
            "what it is."
        )
