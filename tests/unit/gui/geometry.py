"""Checks that widgets and their texts are completely visible."""

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QWidget


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
