"""Checks that widgets and their texts are completely visible."""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QWidget,
)


def assert_text_fits(label: QLabel) -> None:
    """Fail unless the whole text of a label is visible."""
    assert label.isVisible()
    flags = Qt.AlignmentFlag.AlignTop | (Qt.TextFlag.TextWordWrap if label.wordWrap() else Qt.TextFlag.TextSingleLine)
    room = label.contentsRect()
    needed = label.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), int(flags), label.text())
    assert needed.width() <= room.width(), f"“{label.text()}” is {needed.width()} px wide, and has {room.width()} px"
    assert needed.height() <= room.height(), f"“{label.text()}” is {needed.height()} px tall, and has {room.height()}"
    assert_inside_parents(label)


def assert_inside_parents(widget: QWidget) -> None:
    """Fail if a widget extends beyond one of its parents, up to the content of a scroll area."""
    outer = widget.parentWidget()
    while outer is not None:
        placed = QRect(widget.mapTo(outer, QPoint(0, 0)), widget.size())
        assert outer.rect().contains(placed), f"{widget.objectName()} is cut off by {outer.objectName()}"
        around = outer.parentWidget()
        scrolled = around is not None and isinstance(around.parentWidget(), QScrollArea)
        outer = None if outer.isWindow() or scrolled else around


def clipped_texts(window: QWidget) -> list[str]:
    """Return a line for each visible label, button and list whose text is cut off and not in its tooltip."""
    found = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        text, room = _text_and_room(widget)
        if not text or text in widget.toolTip():
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()
        flags = Qt.TextFlag.TextWordWrap if wraps or "\n" in text else Qt.TextFlag.TextSingleLine
        lines = widget.fontMetrics().boundingRect(QRect(0, 0, room.width(), 10_000), int(flags), text).size()
        if lines.width() > room.width() + 2 or lines.height() > room.height() + 1:
            where = f"{type(widget).__name__} {widget.objectName()}"
            found.append(f"{where}: “{text}” takes {lines.toTuple()} px, and has {room.size().toTuple()}")
    return found


def _text_and_room(widget: QWidget) -> tuple[str, QRect]:
    """Return the text of a label, button or list and the rectangle it is painted in; no text for other widgets."""
    if isinstance(widget, QLabel):
        text = widget.text().replace("&", "") if widget.buddy() is not None else widget.text()
        return "" if "<" in text and widget.textFormat() is not Qt.TextFormat.PlainText else text, widget.contentsRect()
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        return widget.currentText(), widget.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, field, widget
        )
    if isinstance(widget, QCheckBox):
        indicator = widget.style().pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth)
        return widget.text().replace("&", ""), widget.rect().adjusted(indicator, 0, 0, 0)
    if isinstance(widget, QPushButton):
        button_option = QStyleOptionButton()
        widget.initStyleOption(button_option)
        contents = QStyle.SubElement.SE_PushButtonContents
        return widget.text().replace("&", ""), widget.style().subElementRect(contents, button_option, widget)
    if isinstance(widget, QAbstractButton):
        return widget.text().replace("&", ""), widget.rect()
    return "", QRect()
