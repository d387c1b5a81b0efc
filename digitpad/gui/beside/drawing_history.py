"""The last drawings with their answers, and a contact sheet of them."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from digitpad.gui.canvas.qt_images import picture_of
from digitpad.gui.session import Session
from digitpad.ink.drawing import Drawing

MOST = 40
COLUMNS, CELL_PX, CAPTION_PX = 8, 120, 26
"""Columns of the contact sheet, the side of its drawings, and the height of the answers below them."""


@dataclass(frozen=True, eq=False)
class PastDrawing:
    """A drawing and its answer; ``?`` where the network was not sure."""

    drawing: Drawing
    answer: str


class DrawingHistory(QObject):
    """Keeps each drawing once it was replaced by another one or cleared.

    Parameters
    ----------
    session : Session
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._last: PastDrawing | None = None  # on the pad when a stroke last ended
        self.drawings: list[PastDrawing] = []  # the latest last
        session.drawing_settled.connect(self._settle)

    def _settle(self) -> None:
        drawing, last = self._session.drawing, self._last
        if last is not None and not _continues(last.drawing, drawing):
            self._keep(last)
        reading = None if drawing.is_empty else self._session.reading
        self._last = (
            None if reading is None else PastDrawing(drawing, reading.text if reading.sure and reading.text else "?")
        )

    def _keep(self, past: PastDrawing) -> None:
        others = [kept for kept in self.drawings if kept.drawing is not past.drawing]
        self.drawings = [*others[1 - MOST :], past]
        self.changed.emit()

    def restore(self, index: int) -> None:
        """Put a drawing back on the pad, which can be undone."""
        self._session.show_page("Draw")
        self._session.put_drawing(self.drawings[index].drawing, "Restore")


def _continues(before: Drawing, after: Drawing) -> bool:
    """Return whether a drawing grew from another one by strokes, or shrank by undoing them."""
    if after.is_empty or before.image is not after.image:
        return False
    shorter, longer = sorted((before.strokes, after.strokes), key=len)
    return len(shorter) > 0 and all(one is other for one, other in zip(shorter, longer, strict=False))


def contact_sheet(drawings: list[PastDrawing]) -> QImage:
    """Return one image of drawings with their answers, in black on white."""
    n_rows = max(1, -(-len(drawings) // COLUMNS))
    n_columns = max(1, min(COLUMNS, len(drawings)))
    sheet = QImage(n_columns * CELL_PX, n_rows * (CELL_PX + CAPTION_PX), QImage.Format.Format_RGB32)
    sheet.fill(Qt.GlobalColor.white)
    painter = QPainter(sheet)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    font = QFont(painter.font())
    font.setPixelSize(16)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor("#1c2330"))
    for index, past in enumerate(drawings):
        row, column = divmod(index, COLUMNS)
        x, y = column * CELL_PX, row * (CELL_PX + CAPTION_PX)
        painter.drawImage(QRectF(x + 4, y + 4, CELL_PX - 8, CELL_PX - 8), picture_of(past.drawing))
        painter.drawText(QRectF(x, y + CELL_PX, CELL_PX, CAPTION_PX), Qt.AlignmentFlag.AlignCenter, past.answer)
    painter.end()
    return sheet
