from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.shell.file_open_events import FileOpenEvents


def test_file_from_the_finder_is_opened(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> None:
    """A file that macOS sends to the application is opened once; an event without a file is ignored."""
    opened: list[Path] = []
    events = FileOpenEvents(qapp, opened.append)
    path = tmp_path / "weights of mine.npz"
    try:
        QApplication.sendEvent(qapp, QFileOpenEvent(str(path)))
        QApplication.sendEvent(qapp, QFileOpenEvent(QUrl("https://example.org/x.npz")))
    finally:
        qapp.removeEventFilter(events)
        events.deleteLater()
    assert opened == [path]
