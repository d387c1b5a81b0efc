"""The strip of the last drawings; a click puts one back on the pad."""

from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QListView, QListWidget, QListWidgetItem

from digitpad.errors import InkError, reason
from digitpad.gui.beside.drawing_history import DrawingHistory, contact_sheet
from digitpad.gui.canvas.qt_images import picture_of
from digitpad.gui.session import Session
from digitpad.gui.widgets.basics import SPACE, link, make_label, named
from digitpad.gui.widgets.file_dialogs import PNG, FileDialogs
from digitpad.gui.widgets.text_size import scaled
from digitpad.system.atomic_write import write_atomically

_ICON_PX, _SIDE_PX, _BOTTOM_PX = 56, 220, 136
_EMPTY = "Your drawings appear here once you clear the pad."


class HistoryPanel(QFrame):
    """Shows a `DrawingHistory`.

    Parameters
    ----------
    session : Session
    history : DrawingHistory
    files : FileDialogs
    """

    left = Signal()  # the user closes the panel

    def __init__(self, session: Session, history: DrawingHistory, files: FileDialogs) -> None:
        super().__init__()
        self.setObjectName("history_panel")
        self.setProperty("card", True)
        self._session, self._history, self._files = session, history, files
        self.list = named(QListWidget(), "history_list")
        self._empty = make_label(_EMPTY, "soft", "history_empty")
        self._empty.setWordWrap(True)
        self._save = link("Save sheet…", "history_save", "Save one picture of all these drawings")
        self._build()
        history.changed.connect(self._fill)
        session.theme.changed.connect(self._fill)
        self._fill()

    def stand(self, *, at_side: bool) -> None:
        """Arrange the drawings in a column or in a row."""
        flow = QListView.Flow
        self.list.setFlow(flow.TopToBottom if at_side else flow.LeftToRight)
        self.setMinimumSize(0, 0)
        self.setMaximumSize(16_777_215, 16_777_215)
        if at_side:
            self.setFixedWidth(scaled(_SIDE_PX))
        else:
            self.setFixedHeight(scaled(_BOTTOM_PX))
        policy = Qt.ScrollBarPolicy
        self.list.setHorizontalScrollBarPolicy(policy.ScrollBarAlwaysOff if at_side else policy.ScrollBarAsNeeded)
        self.list.setWrapping(at_side)

    def _fill(self) -> None:
        """List the drawings, the latest first."""
        self.list.clear()
        for past in reversed(self._history.drawings):
            picture = QPixmap.fromImage(picture_of(past.drawing)).scaled(
                scaled(_ICON_PX),
                scaled(_ICON_PX),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            item = QListWidgetItem(QIcon(picture), past.answer)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"Read as {past.answer}")
            self.list.addItem(item)
        self.list.setIconSize(QSize(scaled(_ICON_PX), scaled(_ICON_PX)))
        has_any = bool(self._history.drawings)
        self.list.setVisible(has_any)
        self._empty.setVisible(not has_any)
        self._save.setEnabled(has_any)

    def _restore(self, item: QListWidgetItem) -> None:
        self._history.restore(len(self._history.drawings) - 1 - self.list.row(item))

    def save_sheet(self) -> None:
        """Ask for a file, and save a contact sheet of all drawings."""
        path = self._files.to_save("Save the contact sheet", PNG, "png", "drawings.png")
        if path is None:
            return
        try:
            self._write(path)
        except InkError as error:
            self._session.raise_error("The contact sheet was not saved", error)
        else:
            self._session.say(f"Saved {path.name} in {path.parent}")

    def _write(self, path: Path) -> None:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        contact_sheet(self._history.drawings).save(buffer, "PNG")  # type: ignore[call-overload]
        try:
            write_atomically(path, bytes(buffer.data().data()))
        except OSError as error:
            raise InkError(path, f"cannot be written ({reason(error)})") from error

    def _build(self) -> None:
        self.list.setAccessibleName("Last drawings")
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setSpacing(SPACE)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setToolTip("Put a drawing back on the pad; Undo takes it back")
        self.list.itemClicked.connect(self._restore)
        self.list.itemActivated.connect(self._restore)
        self._save.clicked.connect(self.save_sheet)
        close = link("Close", "history_close", "Close the history; drawings are still kept")
        close.clicked.connect(self.left)
        column = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        column.setContentsMargins(3 * SPACE, 2 * SPACE, 3 * SPACE, 2 * SPACE)
        column.setSpacing(SPACE)
        row = QHBoxLayout()
        row.addWidget(make_label("History", "heading"))
        row.addStretch(1)
        row.addWidget(self._save)
        row.addWidget(close)
        column.addLayout(row)
        column.addWidget(self._empty)
        column.addWidget(self.list, 1)
