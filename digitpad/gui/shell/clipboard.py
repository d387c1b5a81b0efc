"""Drawings come onto the pad and leave it: as files, by the clipboard, and dropped."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QImage

from digitpad.errors import FileError
from digitpad.gui.shell.menus import DRAW
from digitpad.gui.widgets.file_dialogs import PNG, STROKES, check_openable
from digitpad.gui.widgets.qt_images import picture_of, save_picture, to_rgba
from digitpad.ink.drawing import Drawing, first_drawing
from digitpad.ink.image import read_image
from digitpad.ink.strokes import LabelledStrokes, write_strokes

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

MAX_PASTED_PX = 480  # a side; more than the pad keeps, and a photograph's pixels would take gigabytes


class PadClipboard:
    """What is put on a window's pad can be undone; what cannot be put there leaves it as it is, and is told of."""

    def __init__(self, window: "Window") -> None:
        self._window = window
        self._pad = window.draw_tab.pad

    def open(self, path: Path) -> None:
        """Put an image, or the first drawing of a strokes file, on the pad."""
        try:
            check_openable(path)
            drawing = first_drawing(path) if path.suffix.lower() == ".jsonl" else Drawing.from_pixels(read_image(path))
        except FileError as error:
            self._window.show_error("This cannot be put on the pad", error)
            return
        self.put(drawing, "Open", f"no ink was found in {path.name}")

    def put(self, drawing: Drawing, text: str, nothing: str) -> None:
        """Show a drawing on the pad; ``text`` is what undoing it is called, ``nothing`` is said where it is empty."""
        if drawing.is_empty:
            self._window.say(f"The pad is as it was: {nothing}")
            return
        self._window.show_tab(DRAW)
        self._pad.replace(drawing, text)

    def copy(self) -> None:
        """Put a picture of the drawing on the clipboard."""
        QGuiApplication.clipboard().setImage(picture_of(self._pad.drawing))

    def paste(self) -> None:
        """Take an image, or a file that was copied, from the clipboard."""
        # None where whoever had copied is gone, though the stubs forbid it.
        mime = QGuiApplication.clipboard().mimeData()
        if mime is None or not self.take(mime, "Paste"):
            self._window.say("The clipboard holds no image")

    @staticmethod
    def can_take(mime: QMimeData) -> bool:
        """Whether there is a file or an image in what is dragged over the window."""
        return bool(_files(mime)) or mime.hasImage()

    def take(self, mime: QMimeData, text: str) -> bool:
        """Use what was pasted or dropped, any file that it is; whether there was something to use."""
        if files := _files(mime):
            self._window.open_any(files[0])
        elif mime.hasImage():
            image = mime.imageData()
            if not isinstance(image, QImage) or image.isNull():
                return False
            if max(image.width(), image.height()) > MAX_PASTED_PX:
                keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                image = image.scaled(MAX_PASTED_PX, MAX_PASTED_PX, keep, smooth)
            self.put(Drawing.from_pixels(to_rgba(image)), text, "no ink was found in the image")
        else:
            return False
        return True

    def save_picture(self) -> None:
        """Save the drawing as an image, to a file of the user's choice."""
        path = self._window.files.to_save("Save the drawing as an image", PNG, "png", "digit.png")
        if path is not None:
            self._window.try_to("The image was not saved", lambda: save_picture(self._pad.drawing, path))

    def save_strokes(self) -> None:
        """Save the strokes on the pad, to a file of the user's choice."""
        drawing = self._pad.drawing
        path = self._window.files.to_save("Save the strokes", STROKES, "jsonl", "digit.jsonl")
        if path is not None:
            line = LabelledStrokes([stroke.points for stroke in drawing.strokes])
            self._window.try_to("The strokes were not saved", lambda: write_strokes(path, [line]))


def _files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
