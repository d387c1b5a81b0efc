"""Copying a plot or a diagram to the clipboard."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QWidget


def offer_copy(widget: QWidget) -> None:
    """Let a widget be copied as a picture by its context menu."""
    action = QAction("Copy picture", widget)
    action.setObjectName("copy_picture")
    action.triggered.connect(lambda: QGuiApplication.clipboard().setPixmap(widget.grab()))
    widget.addAction(action)
    widget.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
