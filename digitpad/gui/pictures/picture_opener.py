"""Opens pictures: one digit goes straight to the pad, several are shown in a dialog first."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, as_digitpad_error
from digitpad.ink.drawing import Drawing

if TYPE_CHECKING:
    from digitpad.gui.pictures.picture_reading import PictureReading, Pixels

MAX_IMMEDIATE = 500 * 500
"""Number of pixels up to which a picture is read at once, in less than a tenth of a second."""


class PictureOpener(QObject):
    """Reads opened, pasted and dropped pictures, and keeps the last one so that it can be cropped.

    Parameters
    ----------
    session : Session
    put : callable
        Shows a drawing on the pad; its arguments are the drawing, the change for Undo, and the message if it is empty.
    parent : QWidget
        Window of the dialog.
    """

    opened = Signal()  # there is a picture to crop

    def __init__(self, session: Session, put: Callable[[Drawing, str, str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._put, self._parent = session, put, parent
        self._tasks = TaskRunner("pictures", Policy.LATEST, self)
        self._picture: tuple[Pixels, str, str] | None = None

    def open(self, pixels: "Pixels", change: str, name: str) -> None:
        """Read a picture; put its digit on the pad, or show the dialog if there are several.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (height, width, 4)
        change : str
            Name of the change for Undo.
        name : str
            Name of the picture, for the user.
        """
        from digitpad.gui.pictures.picture_reading import read_picture
        from digitpad.recognition.number_reader import NumberReader

        self._picture = pixels, change, name
        self.opened.emit()
        work = partial(
            read_picture,
            NumberReader(self._session.weights),
            pixels,
            single=self._session.preferences.reads_single_digit,
        )
        if pixels.shape[0] * pixels.shape[1] <= MAX_IMMEDIATE:
            self._tasks.cancel()  # an earlier picture that is still read
            self._take(work())
            return
        self._session.say(f"Reading {name}…")
        self._tasks.start(work, finished=self._take, failed=self._fail)

    def crop(self) -> None:
        """Show the dialog for the last picture."""
        if self._picture is not None:
            self._show_dialog(None)

    def _take(self, found: "PictureReading") -> None:
        assert self._picture is not None
        _, change, name = self._picture
        self._session.say("")
        if len(found.items) > 1:
            self._show_dialog(found)
        else:
            self._put(found.drawing, change, f"No drawing found in {name}")

    def _show_dialog(self, found: "PictureReading | None") -> None:
        from digitpad.gui.pictures.picture_dialog import PictureDialog

        assert self._picture is not None
        pixels, change, name = self._picture
        dialog = PictureDialog(self._session, pixels, name, self._parent, found)
        dialog.used.connect(lambda drawing: self._put(drawing, change, f"No drawing found in {name}"))
        dialog.open()

    def _fail(self, error: Exception) -> None:
        self._session.say("")
        self._session.raise_error("This picture can't be read", as_digitpad_error(error))
