"""View of a network from left to right: the activations of each block and the connections of the selected unit."""

# Longer than 400 lines: geometry, painting and pointing of the layers share the same columns.

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.class_names import DIGITS
from digitpad.gui.inspect.tile_grid import TileGrid, colour_table, largest_of
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.inspection.trace import ActivationTrace, Block
from digitpad.inspection.weight_edits import WeightEdits
from digitpad.nn.arrays import Floats
from digitpad.number_format import format_percent

CAPTION_PX = 36
GAP_PX = 20
BAR_PX = 112  # width of a class's bar with its probability
NARROW_BAR_PX = 94
NAME_PX = (12, 76)  # minimum and maximum width of a class name
MIN_ROW_PX = 14  # minimum height of a class; if rows would be lower, there are more columns
_SHARE_PX = (60, 42)  # width of a probability in percent, with one column and with several
MAX_LINES = 5
"""Maximum number of connections drawn on each side of a unit; the eye cannot separate more."""

_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


@dataclass(frozen=True)
class Selection:
    """Selected unit of a block; for a feature map, also a position in it."""

    block: int
    unit: int
    row: int = 0
    column: int = 0


@dataclass(frozen=True, eq=False)
class Connections:
    """Connections of a selected unit to the blocks before and after it, and its receptive field.

    Attributes
    ----------
    before, after : ndarray of shape (n_units,)
        Contribution of each unit before to this unit, and of this unit to each unit after.
    window : tuple of int, optional
        First row and column, last row and column of its receptive field in the input.
    """

    before: Floats = field(default_factory=lambda: np.empty(0))
    after: Floats = field(default_factory=lambda: np.empty(0))
    window: tuple[int, int, int, int] | None = None


class LayersView(QWidget):
    """Blocks as columns of tiles; the unit under the pointer is selected, and a click keeps the selection.

    The widget ``above_input`` is placed above the input, in the same column.
    """

    chosen_changed = Signal(object)  # Selection under the pointer, else the pinned one; or None
    pinned_changed = Signal(object)  # Selection made by a click or by keys; or None
    toggled = Signal(object)  # Selection to switch off, or on again

    def __init__(self, theme: Theme, above_input: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._above = above_input
        above_input.setParent(self)
        self.blocks: tuple[Block, ...] = ()
        self._names: Sequence[str] = DIGITS
        self._name_px = float(NAME_PX[0])
        self.columns: list[TileGrid] = []
        self._trace: ActivationTrace | None = None
        self._edits = WeightEdits()
        self._connections = Connections()
        self._pinned: Selection | None = None
        self._pointed: Selection | None = None
        self._focus_by_keys = False
        self._gap = float(GAP_PX)
        self._colours = colour_table(theme.tokens)
        self.setObjectName("layers_view")
        self.setAccessibleName("Layers")
        set_accessible_role(self, Role.Chart)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._recolour)

    @property
    def chosen(self) -> Selection | None:
        """Selection under the pointer, else the one made by a click or by keys."""
        return self._pointed or self._pinned

    @property
    def pinned(self) -> Selection | None:
        """Selection made by a click or by keys."""
        return self._pinned

    def set_blocks(self, blocks: tuple[Block, ...], class_names: Sequence[str]) -> None:
        """Show another network with these output classes; the caller then sets its trace."""
        if (blocks, class_names) != (self.blocks, self._names):
            self.blocks, self._pinned, self._pointed, self._connections = blocks, None, None, Connections()
            self._names = class_names
            self._lay_out()
            self.chosen_changed.emit(None)
            self.pinned_changed.emit(None)
        self._trace = None
        self.update()

    def set_trace(self, trace: ActivationTrace | None) -> None:
        """Show the activations of every block for an image; None shows zeros."""
        self._trace = trace
        self.update()

    def set_edits(self, edits: WeightEdits) -> None:
        """Mark the units that are switched off or scaled."""
        self._edits = edits
        self.update()

    def set_joined(self, joined: Connections) -> None:
        """Show the connections of the selected unit."""
        self._connections = joined
        self.update()

    def choose(self, chosen: Selection | None) -> None:
        """Select a unit, as a click does; None selects nothing."""
        self._pin(chosen)

    # Geometry.

    def _lay_out(self) -> None:
        self.columns = []
        if not self.blocks:
            return
        hidden = self.blocks[1:-1]
        weights = [1.0 if block.has_maps else 0.6 for block in hidden]
        top, height = scaled(CAPTION_PX), max(1, self.height() - scaled(CAPTION_PX))
        input_px = min(max(self.width() * 0.2, 120), (height - GAP_PX) / 2, 300)
        if not hidden:
            input_px = min((height - GAP_PX) / 2, 300)
        self._above.setGeometry(0, top, int(input_px), int(input_px))
        n = self.blocks[-1].n_units
        n_columns = max(1, math.ceil(n * scaled(MIN_ROW_PX) / height))
        metrics = QFontMetricsF(self._output_font(bold=True))
        longest = max(map(metrics.horizontalAdvance, self._names))
        self._name_px = min(max(longest, scaled(NAME_PX[0])), scaled(NAME_PX[1]) / n_columns)
        output_px = n_columns * (self._name_px + scaled(BAR_PX if n_columns == 1 else NARROW_BAR_PX))
        shape = self.blocks[0].shape
        side = (shape[1], shape[2]) if len(shape) == 3 else None
        room = QRectF(0, top + input_px + GAP_PX, input_px, input_px)
        self.columns.append(TileGrid(shape[0], side, room) if side is None or shape[0] > 1 else _SingleMap(side, room))
        self._gap = min(float(GAP_PX), max(0.0, self.width() - input_px - output_px) / (3 * len(hidden) + 1))
        free = self.width() - input_px - output_px - self._gap * (len(hidden) + 1)
        left = input_px
        for block, weight in zip(hidden, weights, strict=True):
            left += self._gap
            width = free * weight / sum(weights)
            self.columns.append(TileGrid(block.n_units, _side(block), QRectF(left, top, width, height)))
            left += width
        n_rows = math.ceil(n / n_columns)
        row = min(height / n_rows, 40)
        room = QRectF(self.width() - output_px, top + (height - n_rows * row) / 2, output_px, n_rows * row)
        self.columns.append(_OutputRows(n, n_columns, room))

    def _at(self, point: QPointF) -> Selection | None:
        for block, tiles in enumerate(self.columns):
            place = tiles.at(point)
            if place is not None:
                return Selection(block, *place)
        return None

    def _recolour(self) -> None:
        self._colours = colour_table(self._theme.tokens)
        self.update()

    def _pin(self, selection: Selection | None) -> None:
        before, pinned = self.chosen, self._pinned
        self._pinned, self._pointed = selection, None
        self._emit_change(before)
        if selection != pinned:  # also if the pointer was already on it
            self.pinned_changed.emit(selection)
            self.update()

    def _emit_change(self, before: Selection | None) -> None:
        if self.chosen != before:
            self.chosen_changed.emit(self.chosen)
            self.update()

    # Painting.

    def _output_font(self, *, bold: bool) -> QFont:
        font = fixed_width_digits(self.font())
        font.setPixelSize(scaled(12))
        font.setBold(bold)
        return font

    def _paint_caption(self, painter: QPainter, block: Block, tiles: TileGrid) -> None:
        tokens = self._theme.tokens
        font = self.font()
        short = block.name.replace("Convolution", "Conv")
        middle, width = tiles.room.center().x(), tiles.room.width() + self._gap
        size = " × ".join(map(str, block.shape[1:] if block is self.blocks[0] and block.has_maps else block.shape))
        shape_text = size if tiles.n == block.n_units else f"{tiles.n} of {size}"
        align = Qt.AlignmentFlag.AlignHCenter
        top = 0.0 if block is not self.blocks[0] else tiles.room.top() - GAP_PX
        if block is self.blocks[0]:
            short, shape_text = f"{short} {shape_text}", ""
        painter.setPen(QColor(tokens.soft))
        for line, (words, size_px) in enumerate(((short, 12), (shape_text.replace(" ", "\N{THIN SPACE}"), 11))):
            font.setPixelSize(scaled(size_px))
            painter.setFont(font)
            if painter.fontMetrics().horizontalAdvance(words) <= width + 2:  # with very many layers, no name fits
                painter.drawText(QRectF(middle - width / 2, top + scaled(15) * line, width, scaled(16)), align, words)

    def _paint_outputs(self, painter: QPainter, tiles: TileGrid) -> None:
        tokens = self._theme.tokens
        probabilities = None if self._trace is None else self._trace.probabilities
        best = -1 if probabilities is None else int(probabilities.argmax())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        centred, narrow = Qt.AlignmentFlag.AlignVCenter, tiles.n_columns > 1
        plain, bold = self._output_font(bold=False), self._output_font(bold=True)
        plain_metrics, bold_metrics = QFontMetricsF(plain), QFontMetricsF(bold)
        for place in tiles.units():
            row = tiles.rect(place)
            painter.setFont(bold if place == best else plain)
            painter.setPen(QColor(tokens.text))
            metrics = bold_metrics if place == best else plain_metrics
            name = metrics.elidedText(self._names[place], Qt.TextElideMode.ElideRight, self._name_px + 1)
            painter.drawText(QRectF(row.left() + 2, row.top(), self._name_px + 2, row.height()), centred, name)
            track = QRectF(row.left() + self._name_px + 6, row.center().y() - 4, 0, 8)
            track.setRight(row.right() - scaled(_SHARE_PX[narrow]))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.ground))
            painter.drawRoundedRect(track, 4, 4)
            if probabilities is None:
                continue
            share = float(probabilities[place])
            if share * track.width() > 0.5:
                painter.setBrush(QColor(tokens.accent if place == best else tokens.faint))
                painter.save()
                painter.setClipRect(QRectF(track.left(), track.top(), share * track.width(), 8))
                painter.drawRoundedRect(track, 4, 4)
                painter.restore()
            painter.setPen(QColor(tokens.text if place == best else tokens.soft))
            painter.drawText(
                row.adjusted(0, 0, -2, 0),
                centred | Qt.AlignmentFlag.AlignRight,
                format_percent(share, 0 if narrow else 1),
            )

    def _paint_legend(self, painter: QPainter) -> None:
        """Draw the legend of the colours, if there is room below the input."""
        tokens = self._theme.tokens
        room = self.height() - self.columns[0].room.bottom() if self.columns else 0
        if room < 60:
            return
        font = self.font()
        font.setPixelSize(scaled(11))
        painter.setFont(font)
        meanings = ((tokens.accent, "above 0, or increases"), (tokens.second, "below 0, or decreases"))
        for place, (colour, meaning) in enumerate(meanings):
            y = self.height() - 34 + place * 18
            painter.fillRect(QRectF(0, y + 3, 9, 9), QColor(colour))
            painter.setPen(QColor(tokens.soft))
            painter.drawText(QRectF(15, y, 140, 16), Qt.AlignmentFlag.AlignVCenter, meaning)

    def _paint_edits(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for edit in self._edits.factors:
            tiles = self.columns[edit.block]
            if edit.unit >= tiles.n:
                continue
            tile = tiles.rect(edit.unit)
            painter.setPen(QPen(QColor(tokens.bad), 1.5))
            if edit.factor == 0:
                painter.drawLine(tile.topLeft(), tile.bottomRight())
                painter.drawLine(tile.topRight(), tile.bottomLeft())
            else:
                painter.drawLine(tile.bottomLeft(), tile.bottomRight())

    def _paint_chosen(self, painter: QPainter, chosen: Selection) -> None:
        tokens, tiles = self._theme.tokens, self.columns[chosen.block]
        if chosen.unit >= tiles.n:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        tile = tiles.rect(chosen.unit)
        if chosen.block > 0:
            self._paint_lines(painter, self.columns[chosen.block - 1], self._connections.before, tile, QPointF(-1, 0))
        if chosen.block < len(self.columns) - 1:
            self._paint_lines(painter, self.columns[chosen.block + 1], self._connections.after, tile, QPointF(1, 0))
        if self._connections.window is not None and self.columns[0].side is not None:
            top, left, bottom, right = self._connections.window
            first, last = self.columns[0].place_rect(0, top, left), self.columns[0].place_rect(0, bottom, right)
            painter.setPen(QPen(QColor(tokens.second), 1.5))
            painter.drawRect(first.united(last))
        by_keys = self.hasFocus() and self._focus_by_keys
        if chosen.block > 0:
            painter.setPen(QPen(QColor(tokens.text if by_keys else tokens.accent), 2))
            painter.drawRoundedRect(tile.adjusted(-1.5, -1.5, 1.5, 1.5), 2, 2)
        if tiles.side is not None:
            place = tiles.place_rect(chosen.unit, chosen.row, chosen.column)
            painter.setPen(QPen(QColor(tokens.second), 1.5))
            painter.drawRect(place.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _paint_lines(
        self, painter: QPainter, others: TileGrid, contributions: Floats, tile: QRectF, side: QPointF
    ) -> None:
        """Draw curves to the units with the largest contributions; a larger contribution has a stronger curve."""
        values = contributions[: others.n]
        largest = largest_of(values)
        if not largest:
            return
        tokens = self._theme.tokens
        to_left = side.x() < 0
        here = QPointF(tile.left() if to_left else tile.right(), tile.center().y())
        for unit in np.argsort(-np.abs(values), kind="stable")[:MAX_LINES].tolist():
            strength = abs(float(values[unit])) / largest
            if not strength > 0.02:
                continue
            other = others.rect(unit)
            there = QPointF(other.right() if to_left else other.left(), other.center().y())
            bend = (there.x() - here.x()) / 2
            path = QPainterPath(here)
            path.cubicTo(here + QPointF(bend, 0), there - QPointF(bend, 0), there)
            colour = QColor(tokens.accent if values[unit] > 0 else tokens.second)
            colour.setAlphaF(0.3 + 0.7 * strength)
            # Qt strokes a path four times faster with a pen of one pixel than with a wider one.
            painter.setPen(QPen(colour, 1, Qt.PenStyle.SolidLine if values[unit] > 0 else Qt.PenStyle.DashLine))
            painter.drawPath(path)
            if strength > 0.5:
                painter.drawPath(path.translated(0.7, 0.7))

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(420, 320)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._above.geometry().contains(event.rect()):  # the pad repaints often and is opaque
            return
        painter = QPainter(self)
        ground = QColor(self._theme.tokens.card)
        for number, (block, tiles) in enumerate(zip(self.blocks, self.columns, strict=True)):
            self._paint_caption(painter, block, tiles)
            if number == len(self.blocks) - 1:
                self._paint_outputs(painter, tiles)
                continue
            values = np.zeros(block.shape, np.float32) if self._trace is None else self._trace.of(block)
            tiles.paint(painter, values, largest_of(values), self._colours, ground)
        self._paint_edits(painter)
        self._paint_legend(painter)
        if self.chosen is not None:
            self._paint_chosen(painter, self.chosen)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        before = self.chosen
        self._pointed = self._at(event.position())
        self._emit_change(before)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._focus_by_keys = False
        self._pin(self._at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        before = self.chosen
        self._pointed = None
        self._emit_change(before)
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_keys = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)
        self._focus_by_keys = event.reason() in by_keys
        super().focusInEvent(event)
        if self._focus_by_keys and self._pinned is None and len(self.columns) > 1:
            self.choose(Selection(1, 0))
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        chosen = self._pinned
        key = Qt.Key(event.key())
        if not self.blocks or (key not in _ARROWS and chosen is None):
            super().keyPressEvent(event)
            return
        self._focus_by_keys = True
        if chosen is None:
            self.choose(Selection(1, 0))
        elif key in _ARROWS and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.choose(self._moved_within(chosen, key))
        elif key in _ARROWS:
            self.choose(self._moved(chosen, key))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.choose(Selection(0 if key == Qt.Key.Key_Home else len(self.columns) - 1, 0))
        elif key == Qt.Key.Key_Escape:
            self.choose(None)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Delete):
            self.toggled.emit(chosen)
        else:
            super().keyPressEvent(event)

    def _moved(self, chosen: Selection, key: Qt.Key) -> Selection:
        """Return the next tile; beyond the edge of a column, the tile of the next column at about the same height."""
        tiles = self.columns[chosen.block]
        neighbour = None if isinstance(tiles, _SingleMap) else tiles.neighbour(chosen.unit, key)
        if neighbour is not None:
            return Selection(chosen.block, neighbour, chosen.row, chosen.column)
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        block = chosen.block + step
        if not step or not 0 <= block < len(self.columns):
            return chosen
        others = self.columns[block]
        here = tiles.rect(chosen.unit).center()
        middles = [others.rect(unit).center() for unit in others.units()]
        unit = min(others.units(), key=lambda n: (abs(middles[n].y() - here.y()), abs(middles[n].x() - here.x())))
        height, width = others.side or (1, 1)
        return Selection(block, unit, height // 2, width // 2)

    def _moved_within(self, chosen: Selection, key: Qt.Key) -> Selection:
        """Return the next position in a feature map, within its edges."""
        height, width = self.columns[chosen.block].side or (1, 1)
        row = chosen.row + {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(key, 0)
        column = chosen.column + {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        return Selection(chosen.block, chosen.unit, min(max(row, 0), height - 1), min(max(column, 0), width - 1))


def _side(block: Block) -> tuple[int, int] | None:
    return (block.shape[1], block.shape[2]) if block.has_maps else None


class _SingleMap(TileGrid):
    """Grid of one map that fills its rectangle."""

    def __init__(self, side: tuple[int, int], room: QRectF) -> None:
        super().__init__(1, side, room)
        self.area = QRectF(room)
        self.pitch, self.gap = room.width(), 0.0


class _OutputRows(TileGrid):
    """Grid with a row for each output, in column-major order."""

    def __init__(self, n: int, n_columns: int, room: QRectF) -> None:
        super().__init__(1, None, room)
        self.n, self.n_columns = n, n_columns
        self.n_rows = math.ceil(n / n_columns)
        self.area = QRectF(room)
        self.pitch, self.gap = room.height() / self.n_rows, 0.0

    def rect(self, unit: int) -> QRectF:
        column, row = divmod(unit, self.n_rows)
        width, margin = self.area.width() / self.n_columns, 2 if self.pitch > 20 else 0
        left, top = self.area.left() + column * width, self.area.top() + row * self.pitch
        right = left + width - (5 if column == self.n_columns - 1 else 12)
        return QRectF(left + 2, top + margin, right - left - 2, self.pitch - 2 * margin)

    def at(self, point: QPointF) -> tuple[int, int, int] | None:
        if not self.area.contains(point):
            return None
        row = min(int((point.y() - self.area.top()) / self.pitch), self.n_rows - 1)
        column = min(int((point.x() - self.area.left()) * self.n_columns / self.area.width()), self.n_columns - 1)
        unit = column * self.n_rows + row
        return (unit, 0, 0) if unit < self.n else None

    def neighbour(self, unit: int, key: Qt.Key) -> int | None:
        column, row = divmod(unit, self.n_rows)
        column += {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(key, 0)
        row += {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(key, 0)
        neighbour = column * self.n_rows + row
        inside = 0 <= row < self.n_rows and 0 <= column < self.n_columns and neighbour < self.n
        return neighbour if inside else None
