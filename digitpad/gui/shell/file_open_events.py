"""Files that macOS asks the running application to open, for example after a double click in the Finder."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class FileOpenEvents(QObject):
    """Event filter of the application that passes on the files to open.

    Parameters
    ----------
    application : QApplication
    open_file : callable
        Receives the path of each file.
    """

    def __init__(self, application: QApplication, open_file: Callable[[Path], object]) -> None:
        super().__init__(application)
        self._open_file = open_file
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QFileOpenEvent) or not event.file():
            return False
        self._open_file(Path(event.file()))
        return True
