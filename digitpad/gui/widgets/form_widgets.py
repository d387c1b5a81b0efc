"""Input widgets for settings: text fields, choices and check boxes, each with a value and an ``edited`` signal."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
)

_BOX_PX = 16  # side of a check box
_ARROW_PX = 22  # width of the arrow of a choice


class TextField(QLineEdit):
    """Text field for a value, with its unit on the right.

    Parameters
    ----------
    parse : callable
        Function that converts the text to a value; raises `RecipeError` if the text is not valid.
    show : callable
        Function that converts a value to text.
    unit : str
    """

    edited = Signal()  # the user changed the value

    def __init__(self, parse: Callable[[str], Any], show: Callable[[Any], str] = str, unit: str = "") -> None:
        super().__init__()
        self._parse = parse
        self._show = show
        self._unit = unit
        self.textEdited.connect(lambda _: self.edited.emit())

    def value(self) -> Any:
        """Return the value of the text.

        Raises
        ------
        RecipeError
            If the text is not a valid value.
        """
        return self._parse(self.text())

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self.setText(self._show(value))
        self.setCursorPosition(0)  # the start of a long text is more useful than its end

    @property
    def cut_off(self) -> str:
        """Full text for the end of a tooltip, or an empty string if the field shows all of it."""
        fits = self.fontMetrics().horizontalAdvance(self.text()) <= self.width() - 20
        return "" if fits else f"\n\nNow: {self.text()}"

    # Qt overrides.

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setCursorPosition(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the unit; if the text is cut off and the field has no focus, draw … over its end."""
        super().paintEvent(event)
        metrics, room = self.fontMetrics(), self.rect().adjusted(10, 2, -10, -2)
        centred = Qt.AlignmentFlag.AlignVCenter
        painter = QPainter(self)
        painter.setPen(_colour(QPalette.ColorRole.PlaceholderText))
        if self.cut_off and not self.hasFocus():
            kept = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())[:-1]
            rest = self.rect().adjusted(10 + metrics.horizontalAdvance(kept), 2, -2, -2)
            painter.fillRect(rest, _colour(QPalette.ColorRole.Window))
            painter.drawText(rest, centred, "…")
        elif metrics.horizontalAdvance(self.text()) + metrics.horizontalAdvance(self._unit) + 12 <= room.width():
            painter.drawText(room, centred | Qt.AlignmentFlag.AlignRight, self._unit)
        painter.end()


class Choice(QComboBox):
    """Combo box that reacts to the wheel only if it has the focus, so that scrolling a form does not change it."""

    edited = Signal()  # the current item changed

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tip = ""
        self.currentIndexChanged.connect(lambda _: self.edited.emit())
        self.currentTextChanged.connect(lambda _: self._show_tip())

    @property
    def _room_px(self) -> int:
        """Width of the text."""
        return self.width() - _ARROW_PX - 20

    def _show_tip(self) -> None:
        """Begin the tooltip with the chosen text if it does not fit."""
        text = self.currentText()
        is_elided = self.fontMetrics().horizontalAdvance(text) > self._room_px
        super().setToolTip(f"{text}\n{self._tip}".strip() if is_elided else self._tip)

    # Qt overrides.

    def setToolTip(self, text: str) -> None:
        """Set the tooltip; the chosen text comes first if it does not fit."""
        self._tip = text
        self._show_tip()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_tip()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def showPopup(self) -> None:
        """Make the list as wide as its longest item."""
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 12)
        super().showPopup()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Elide text that does not fit, and draw the arrow, for which a style sheet would need an image file."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        mode = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, mode, self._room_px)
        styled = QStylePainter(self)
        styled.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        styled.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        styled.end()
        role = QPalette.ColorRole.PlaceholderText if self.isEnabled() else QPalette.ColorRole.Mid
        painter = QPainter(self)
        paint_chevron(painter, QPointF(self.width() - _ARROW_PX / 2 - 3, self.height() / 2), _colour(role), down=True)
        painter.end()


class WordChoice(Choice):
    """Combo box for a few values, each with a short label."""

    def __init__(self, words: Mapping[str, str]) -> None:
        super().__init__()
        for value, word in words.items():
            self.addItem(word, value)

    def value(self) -> str:
        """Return the selected value."""
        return str(self.currentData())

    def set_value(self, value: str) -> None:
        """Select a value."""
        self.setCurrentIndex(max(0, self.findData(value)))


class Check(QCheckBox):
    """Check box."""

    edited = Signal()  # the user changed the value

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.clicked.connect(lambda _: self.edited.emit())

    def value(self) -> bool:
        """Return whether the box is checked."""
        return self.isChecked()

    def set_value(self, value: bool) -> None:
        """Check or uncheck the box."""
        self.setChecked(value)

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box in the colours of the theme; a style sheet would need an image of the tick per theme."""
        role = QPalette.ColorRole
        on = self.isChecked()
        fill = role.Window if not on else role.Accent if self.isEnabled() else role.Mid
        rim = role.Text if on and self.hasFocus() else role.Accent if self.hasFocus() or on else role.PlaceholderText
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.5, (self.height() - _BOX_PX) / 2 + 0.5, _BOX_PX - 1, _BOX_PX - 1)
        painter.setPen(QPen(_colour(rim if self.isEnabled() else role.Mid), 1))
        painter.setBrush(_colour(fill))
        painter.drawRoundedRect(box, 4, 4)
        if on:
            tick = _colour(role.HighlightedText if self.isEnabled() else role.PlaceholderText)
            painter.setPen(QPen(tick, 1.8, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
            x, y = box.left(), box.center().y()
            painter.drawPolyline(QPolygonF([QPointF(x + 4, y), QPointF(x + 6.5, y + 3), QPointF(x + 11, y - 3)]))
        painter.setPen(_colour(role.WindowText if self.isEnabled() else role.PlaceholderText))
        painter.drawText(self.rect().adjusted(_BOX_PX + 8, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()


class Disclosure(QPushButton):
    """Button that expands or collapses a section, with an arrow for its state."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setCheckable(True)
        self.setProperty("kind", "disclosure")

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        colour = _colour(QPalette.ColorRole.PlaceholderText)
        paint_chevron(painter, QPointF(21, self.height() / 2), colour, down=self.isChecked())
        painter.end()


def _colour(role: QPalette.ColorRole) -> QColor:
    """Return a colour of the theme; the palette of a styled widget has paler colours."""
    return QApplication.palette().color(role)


def paint_chevron(painter: QPainter, middle: QPointF, colour: QColor, *, down: bool) -> None:
    """Paint a small chevron that points down or to the right."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.6, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
    points = [(-3.5, -1.75), (0, 1.75), (3.5, -1.75)] if down else [(-1.75, -3.5), (1.75, 0), (-1.75, 3.5)]
    painter.drawPolyline(QPolygonF([middle + QPointF(x, y) for x, y in points]))
