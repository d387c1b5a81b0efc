"""Dialog of an opened picture: the digits found in it, and a crop, which is read again at once."""

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from digitpad.gui.pictures.picture_reading import PictureReading, Pixels, read_picture
from digitpad.gui.pictures.picture_view import PictureView
from digitpad.gui.session import Session
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, dialog_buttons, make_label, named
from digitpad.gui.widgets.text_size import scaled
from digitpad.number_format import format_count
from digitpad.recognition.number_reader import NumberReader
from digitpad.recognition.reading import Reading


class PictureDialog(QDialog):
    """The picture with its digits; "Use" hands over the drawing.

    Parameters
    ----------
    session : Session
    pixels : ndarray of uint8, shape (height, width, 4)
    name : str
        Name of the picture in the title.
    known : PictureReading, optional
        What was found in the whole picture, if it was read already.
    """

    used = Signal(object)  # Drawing

    def __init__(
        self, session: Session, pixels: Pixels, name: str, parent: QWidget, known: PictureReading | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("picture_dialog")
        self.setWindowTitle(f"{name} – digitpad")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pixels = pixels
        self._reader = NumberReader(session.weights)
        self._is_single = session.preferences.reads_single_digit
        self._tasks = TaskRunner("picture", Policy.LATEST, self)
        self.found: PictureReading | None = None
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
        self.view = PictureView(session.theme, image)
        self._answer = ElidedLabel("strong", "picture_answer")
        self._details = ElidedLabel("soft", "picture_details")
        self._whole = named(QPushButton("Whole picture"), "whole_picture")
        self._use = named(QPushButton("Use"), "use_picture")
        self._build()
        self.view.crop_changed.connect(self._read)
        self._whole.clicked.connect(lambda: self.view.set_crop(self.view.whole))
        self._use.clicked.connect(self._hand_over)
        self.finished.connect(lambda _: end_tasks(self))
        if known is None:
            self._read()
        else:
            self._show(known)

    def _read(self) -> None:
        """Read the crop in the background."""
        crop = self.view.crop
        part = self._pixels[crop.top() : crop.bottom() + 1, crop.left() : crop.right() + 1]
        self.found = None
        self._use.setEnabled(False)
        self._whole.setEnabled(self.view.is_cropped)
        self._answer.set_text("Reading…")
        self._details.set_text("")
        work = partial(read_picture, self._reader, part, single=self._is_single)
        self._tasks.start(work, finished=self._show, failed=lambda error: self._answer.set_text(error_message(error)))

    def _show(self, found: PictureReading) -> None:
        self.found = found
        self.view.show_found(found.found, found.items)
        self._use.setEnabled(not found.drawing.is_empty)
        self._whole.setEnabled(self.view.is_cropped)
        reading = found.reading
        self._answer.set_text("No drawing found here" if reading is None else f"Read as {_one_line(reading)}")
        self._details.set_text("" if reading is None else _counts(reading))

    def _hand_over(self) -> None:
        if self.found is not None:
            self.used.emit(self.found.drawing)
            self.accept()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(
            make_label("The coloured ink is read. Drag over the picture to read only a part of it.", "soft")
        )
        column.addWidget(self.view, 1)
        row = QHBoxLayout()
        row.setSpacing(3 * SPACE)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE)
        texts.addWidget(self._answer)
        texts.addWidget(self._details)
        row.addLayout(texts, 1)
        self._whole.setAutoDefault(False)
        row.addWidget(self._whole)
        column.addLayout(row)
        column.addWidget(dialog_buttons(self, QPushButton("Cancel"), self._use))
        self.resize(scaled(720), scaled(560))
        self.view.setFocus()


def _one_line(reading: Reading) -> str:
    return ", ".join(reading.text.split("\n"))


def _counts(reading: Reading) -> str:
    """Return how many digits there are, in how many lines, and how many are not sure."""
    n_digits, n_lines = len(reading.items), len(reading.lines)
    n_unsure = sum(not item.sure for item in reading.items)
    text = "1 digit" if n_digits == 1 else f"{format_count(n_digits)} digits"
    if n_lines > 1:
        text += f" in {format_count(n_lines)} lines"
    return f"{text}, {format_count(n_unsure)} not sure" if n_unsure else text
