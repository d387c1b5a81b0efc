"""Drawings come onto the pad and leave it: by file, by the clipboard, and by drag and drop."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QImage

from digitpad.errors import DigitpadError, FileError
from digitpad.gui.session import Session
from digitpad.gui.widgets.file_dialogs import DRAWING_SUFFIXES, DRAWINGS, PNG, STROKES, FileDialogs, check_openable
from digitpad.gui.widgets.qt_images import picture_of, save_picture, to_rgba
from digitpad.ink.drawing import Drawing, first_drawing
from digitpad.ink.image import is_image, read_image
from digitpad.ink.strokes import LabelledStrokes, write_strokes

MAX_PASTED_PX = 480  # side of a pasted image: more than the pad keeps, while a photo's pixels would take gigabytes


class PadClipboard:
    """Puts drawings on the pad, which can be undone, and takes them from it.

    Parameters
    ----------
    session : Session
    files : FileDialogs
    open_file : callable
        Opens a file that is no drawing.
    """

    def __init__(self, session: Session, files: FileDialogs, open_file: Callable[[Path], None]) -> None:
        self._session = session
        self._files = files
        self._open_file = open_file

    def ask_and_open(self) -> None:
        """Ask for an image or strokes, and open it."""
        if (path := self._files.to_open("Open image or strokes", DRAWINGS)) is not None:
            self.open(path)

    def open_any(self, path: Path) -> None:
        """Open a file of any kind: a drawing goes on the pad, other files are opened as networks or datasets."""
        if path.suffix.lower() in DRAWING_SUFFIXES or is_image(path):
            self.open(path)
        else:
            self._open_file(path)

    def open(self, path: Path) -> None:
        """Put an image, or the first drawing of a strokes file, on the pad."""
        try:
            check_openable(path)
            is_strokes = path.suffix.lower() == ".jsonl"
            drawing, note = first_drawing(path) if is_strokes else (Drawing.from_pixels(read_image(path)), "")
        except FileError as error:
            self._session.raise_error("This file can't be opened", error)
            return
        self._put(drawing, "Open", f"No drawing found in {path.name}")
        if note:
            self._session.say(note)

    def _put(self, drawing: Drawing, change: str, empty: str) -> None:
        """Show a drawing on the pad; ``empty`` is the message if it has no ink."""
        if drawing.is_empty:
            self._session.say(empty)
            return
        self._session.show_page("Draw")
        self._session.put_drawing(drawing, change)

    def copy(self) -> None:
        """Put an image of the drawing on the clipboard."""
        QGuiApplication.clipboard().setImage(picture_of(self._session.drawing))

    def paste(self) -> None:
        """Take an image, or a file that was copied, from the clipboard."""
        # None after the program that copied has ended, although the stubs forbid it.
        mime = QGuiApplication.clipboard().mimeData()
        if mime is None or not self.take(mime, "Paste"):
            self._session.say("There is no image on the clipboard")

    @staticmethod
    def can_take(mime: QMimeData) -> bool:
        """Return whether dragged data hold a file or an image."""
        return bool(_files(mime)) or mime.hasImage()

    def take(self, mime: QMimeData, change: str) -> bool:
        """Open pasted or dropped data; return whether there was something to open."""
        if files := _files(mime):
            self.open_any(files[0])
        elif mime.hasImage():
            image = mime.imageData()
            if not isinstance(image, QImage) or image.isNull():
                return False
            if max(image.width(), image.height()) > MAX_PASTED_PX:
                keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                image = image.scaled(MAX_PASTED_PX, MAX_PASTED_PX, keep, smooth)
            self._put(Drawing.from_pixels(to_rgba(image)), change, "No drawing found in the image")
        else:
            return False
        return True

    def save_picture(self) -> None:
        """Ask for a file, and save the drawing as an image."""
        path = self._files.to_save("Save the drawing as an image", PNG, "png", "digit.png")
        if path is not None:
            self._save("The image was not saved", lambda: save_picture(self._session.drawing, path))

    def save_strokes(self) -> None:
        """Ask for a file, and save the strokes on the pad."""
        drawing = self._session.drawing
        path = self._files.to_save("Save the strokes", STROKES, "jsonl", "digit.jsonl")
        if path is not None:
            line = LabelledStrokes([stroke.points for stroke in drawing.strokes])
            self._save("The strokes were not saved", lambda: write_strokes(path, [line]))

    def _save(self, title: str, write: Callable[[], object]) -> None:
        try:
            write()
        except DigitpadError as error:
            self._session.raise_error(title, error)


def _files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
