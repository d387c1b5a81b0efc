"""Import and export of drawings: by file, by the clipboard, and by drag and drop."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QWidget

from digitpad.errors import DigitpadError, FileError
from digitpad.gui.canvas.qt_images import picture_of, save_picture, to_rgba
from digitpad.gui.pictures.picture_opener import PictureOpener
from digitpad.gui.session import Session
from digitpad.gui.widgets.file_dialogs import DRAWING_SUFFIXES, DRAWINGS, PNG, STROKES, FileDialogs, check_openable
from digitpad.ink.drawing import Drawing, read_drawings
from digitpad.ink.image import MAX_SIDE, is_image, read_image
from digitpad.ink.strokes import LabelledStrokes, write_strokes

MAX_LISTED = 500  # drawings of a file that are offered
MAX_TEXT = 100_000  # characters


class PadClipboard:
    """Commands that put drawings on the pad, with an undo step, and export them from it.

    Parameters
    ----------
    session : Session
    files : FileDialogs
    open_file : callable
        Opens a file that is not a drawing.
    parent : QWidget
        Window of the dialogs.
    """

    def __init__(
        self, session: Session, files: FileDialogs, open_file: Callable[[Path], None], parent: QWidget
    ) -> None:
        self._session = session
        self._parent = parent
        self._files = files
        self._open_file = open_file
        self.pictures = PictureOpener(session, self._put, parent)

    def ask_and_open(self) -> None:
        """Ask for an image or strokes, and open it."""
        if (path := self._files.to_open("Open image or strokes", DRAWINGS)) is not None:
            self.open(path)

    def open_any(self, path: Path) -> None:
        """Open a file of any kind: a drawing for the pad, a recipe, a lesson, or else a network or a dataset."""
        if path.suffix.lower() in DRAWING_SUFFIXES or is_image(path):
            self.open(path)
        elif path.suffix.lower() == ".toml":
            self._open_recipe(path)
        elif path.suffix.lower() == ".md":
            self._session.lesson_requested.emit(path)
        else:
            self._open_file(path)

    def open(self, path: Path) -> None:
        """Put an image, or a drawing of a strokes file, on the pad; of several drawings the user chooses one."""
        try:
            check_openable(path)
            if path.suffix.lower() != ".jsonl":
                self.pictures.open(read_image(path), "Open", path.name)
                return
            drawings, note = read_drawings(path, MAX_LISTED)
        except FileError as error:
            self._session.raise_error("This file can't be opened", error)
            return
        empty = f"No drawing found in {path.name}"
        if len(drawings) > 1:
            from digitpad.gui.shell.drawing_chooser import choose_drawing

            choose_drawing(self._parent, path.name, drawings, lambda drawing: self._put(drawing, "Open", empty))
        else:
            self._put(drawings[0][1], "Open", empty)
        if note:
            self._session.say(note)

    def open_files(self, paths: Sequence[Path]) -> None:
        """Open the first of several files, and show how many were not opened."""
        self.open_any(paths[0])
        if len(paths) > 1:
            others = "1 other file" if len(paths) == 2 else f"{len(paths) - 1} other files"
            self._session.say(f"Opened {paths[0].name}; one file at a time, so {others} were not opened")

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
        """Paste an image, a copied file, or a recipe from the clipboard."""
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
            self.open_files(files)
        elif mime.hasImage():
            image = mime.imageData()
            if not isinstance(image, QImage) or image.isNull():
                return False
            if max(image.width(), image.height()) > MAX_SIDE:
                keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
                image = image.scaled(MAX_SIDE, MAX_SIDE, keep, smooth)
            self.pictures.open(to_rgba(image), change, "the image")
        elif mime.hasText() and mime.text().strip():
            return self._take_text(mime.text())
        else:
            return False
        return True

    def _take_text(self, text: str) -> bool:
        """Apply text that is a recipe; for other text, show a message."""
        from digitpad.training.recipe import Recipe  # imported here to keep the start fast

        try:
            recipe = Recipe.from_toml(text[:MAX_TEXT], Path("clipboard"))
        except DigitpadError:
            self._session.say("The text on the clipboard is not a recipe; copy an image, a file, or a recipe")
        else:
            self._session.use_recipe(recipe)
        return True

    def _open_recipe(self, path: Path) -> None:
        from digitpad.training.recipe import Recipe

        try:
            self._session.use_recipe(Recipe.load(path))
        except DigitpadError as error:
            self._session.raise_error("This recipe can't be opened", error)

    def save_picture(self) -> None:
        """Ask for a file, and save the drawing as an image."""
        path = self._files.to_save("Save the drawing as an image", PNG, "png", "digit.png")
        if path is not None:
            self._save("The image was not saved", path, lambda: save_picture(self._session.drawing, path))

    def save_strokes(self) -> None:
        """Ask for a file, and save the strokes on the pad."""
        drawing = self._session.drawing
        path = self._files.to_save("Save the strokes", STROKES, "jsonl", "digit.jsonl")
        if path is not None:
            line = LabelledStrokes([stroke.points for stroke in drawing.strokes])
            self._save("The strokes were not saved", path, lambda: write_strokes(path, [line]))

    def _save(self, title: str, path: Path, write: Callable[[], object]) -> None:
        try:
            write()
        except DigitpadError as error:
            self._session.raise_error(title, error)
        else:
            self._session.say(f"Saved {path.name} in {path.parent}")


def _files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
