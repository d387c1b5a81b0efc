"""Grid of labelled drawings, each with its label; a misread one also shows what was read."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from digitpad.datasets.own_digits.records import OwnDigit
from digitpad.gui.canvas.qt_images import inked
from digitpad.gui.my_digits.wording import describe
from digitpad.gui.widgets.text_size import follow_text_size, scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.nn.losses import NONE

_TILE_PX, _IMAGE_PX = (66, 84), 54

_Index = QModelIndex | QPersistentModelIndex


class DrawingModel(QAbstractListModel):
    """List model of drawings. ``read_as`` holds the class that the network reads by identifier, as far as known."""

    def __init__(self) -> None:
        super().__init__()
        self.drawings: tuple[OwnDigit, ...] = ()
        self.read_as: Mapping[str, str] = {}

    def set_drawings(self, drawings: Sequence[OwnDigit]) -> None:
        """Show other drawings."""
        self.beginResetModel()
        self.drawings = tuple(drawings)
        self.endResetModel()

    def set_read_as(self, read_as: Mapping[str, str]) -> None:
        """Show the answers of the network."""
        self.read_as = read_as
        if self.drawings:
            self.dataChanged.emit(self.index(0), self.index(len(self.drawings) - 1))

    # Qt overrides.

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.drawings)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        digit = self.drawings[index.row()]
        return describe(digit, self.read_as.get(digit.id))


class _Delegate(QStyledItemDelegate):
    """Painter of tiles. A misread drawing has a dashed frame and ``7 → 1`` instead of ``7``."""

    def __init__(self, theme: Theme, model: DrawingModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._model = theme, model
        self._pictures: dict[str, QImage] = {}
        theme.changed.connect(self._pictures.clear)

    def _picture(self, digit: OwnDigit) -> QImage:
        """Return the network input in the colours of the theme; a few thousand are kept."""
        picture = self._pictures.get(digit.id)
        if picture is None:
            if len(self._pictures) > _MAX_PICTURES:
                self._pictures.clear()
            tokens = self._theme.tokens
            picture = inked(digit.image, QColor(tokens.pad), QColor(tokens.ink))
            self._pictures[digit.id] = picture
        return picture

    # Qt overrides.

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(*map(scaled, _TILE_PX))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        tokens, digit = self._theme.tokens, self._model.drawings[index.row()]
        tile = QRectF(option.rect)
        side = scaled(_IMAGE_PX)
        image = QRectF(tile.left() + (tile.width() - side) / 2, tile.top() + 5, side, side)
        read_as = self._model.read_as.get(digit.id)
        is_misread = read_as is not None and read_as != str(digit.label)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.setBrush(QColor(tokens.accent_ground))
            painter.drawRoundedRect(tile.adjusted(1, 1, -1, -1), 7, 7)
        corners = QPainterPath()
        corners.addRoundedRect(image, 5, 5)
        painter.save()
        painter.setClipPath(corners)
        painter.drawImage(image, self._picture(digit))
        painter.restore()
        style = Qt.PenStyle.DashLine if is_misread else Qt.PenStyle.SolidLine
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.bad if is_misread else tokens.hairline), 1.5 if is_misread else 1, style))
        painter.drawRoundedRect(image.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(tile.adjusted(3, 3, -3, -3), 5, 5)
        text = "✕" if digit.label == NONE else str(digit.label)
        painter.setPen(QColor(tokens.bad if is_misread else tokens.text))
        room = QRectF(tile.left(), image.bottom() + 2, tile.width(), tile.bottom() - image.bottom() - 3)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, f"{text} → {read_as}" if is_misread else text)


_MAX_PICTURES = 4000


class DrawingGrid(QListView):
    """Tiles of drawings. A digit key relabels the selected ones, X marks them as no digit, and Delete deletes them."""

    relabel_requested = Signal(int)
    delete_requested = Signal()
    selection_changed = Signal()

    def __init__(self, theme: Theme, name: str = "my_digits_grid") -> None:
        super().__init__()
        self.drawings_model = DrawingModel()
        self.setObjectName(name)
        self.setAccessibleName("Labelled drawings")
        self.setModel(self.drawings_model)
        self.setItemDelegate(_Delegate(theme, self.drawings_model, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionRectVisible(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setProperty("grid", True)
        self.setFont(fixed_width_digits(self.font()))
        follow_text_size(self, lambda: self.setGridSize(QSize(*map(scaled, _TILE_PX))))
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_changed.emit())
        self.drawings_model.modelReset.connect(self.selection_changed)

    @property
    def selected(self) -> list[OwnDigit]:
        """Selected drawings, in the order of the grid."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.drawings_model.drawings[row] for row in rows]

    def set_drawings(self, drawings: Sequence[OwnDigit]) -> None:
        """Show drawings; those that were selected stay selected, and the view stays where it is."""
        ids = {digit.id for digit in self.selected}
        current = self.currentIndex().row()
        place = self.verticalScrollBar().value()
        self.drawings_model.set_drawings(drawings)
        self.select(ids)
        if self.currentIndex().row() < 0 and drawings:
            row = min(max(current, 0), len(drawings) - 1)
            self.selectionModel().setCurrentIndex(
                self.drawings_model.index(row), self.selectionModel().SelectionFlag.NoUpdate
            )
        self.verticalScrollBar().setValue(place)

    def select(self, ids: set[str]) -> None:
        """Select drawings by their identifiers."""
        model, selection = self.drawings_model, self.selectionModel()
        selection.clearSelection()
        for row, digit in enumerate(model.drawings):
            if digit.id in ids:
                selection.select(model.index(row), selection.SelectionFlag.Select)

    # Qt overrides.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = event.key(), not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and Qt.Key.Key_0 <= key <= Qt.Key.Key_9:
            self.relabel_requested.emit(key - Qt.Key.Key_0)
        elif plain and key == Qt.Key.Key_X:
            self.relabel_requested.emit(NONE)
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_requested.emit()
        else:
            super().keyPressEvent(event)
