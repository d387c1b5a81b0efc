"""Dialog to choose one of the drawings in a file."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from digitpad.gui.canvas.qt_images import from_grey
from digitpad.gui.widgets.basics import SPACE, named
from digitpad.gui.widgets.text_size import scaled
from digitpad.ink.drawing import Drawing
from digitpad.number_format import format_count

_ICON_PX = 56


def choose_drawing(
    parent: QWidget, file_name: str, drawings: Sequence[tuple[str, Drawing]], chosen: Callable[[Drawing], object]
) -> None:
    """Ask for one of several drawings without blocking the window; ``chosen`` is called with it."""
    dialog = QDialog(parent)
    dialog.setObjectName("choose_drawing")
    dialog.setWindowTitle(f"{file_name} – digitpad")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    items = named(QListWidget(), "drawings")
    items.setAccessibleName("Drawings")
    items.setViewMode(QListWidget.ViewMode.IconMode)
    items.setResizeMode(QListWidget.ResizeMode.Adjust)
    items.setMovement(QListWidget.Movement.Static)
    items.setIconSize(QSize(scaled(_ICON_PX), scaled(_ICON_PX)))
    for number, (label, drawing) in enumerate(drawings, start=1):
        icon = QIcon(QPixmap.fromImage(from_grey(255 - drawing.rasterize())))
        item = QListWidgetItem(icon, label or f"{number}")
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"drawing {number}, label {label or 'unknown'}")
        items.addItem(item)
    items.setCurrentRow(0)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
    buttons.accepted.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    items.itemActivated.connect(lambda _: dialog.accept())
    dialog.accepted.connect(lambda: chosen(drawings[items.currentRow()][1]))
    column = QVBoxLayout(dialog)
    column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
    column.setSpacing(3 * SPACE)
    column.addWidget(QLabel(f"{file_name} has {format_count(len(drawings))} drawings. Choose one for the pad."))
    column.addWidget(items, 1)
    column.addWidget(buttons)
    dialog.resize(scaled(560), scaled(420))
    dialog.open()
