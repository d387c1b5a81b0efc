"""View of the weights of the first layer as one image for each unit."""

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.inspect.tile_grid import TileGrid, colour_table
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme
from digitpad.nn.arrays import Floats

CAPTION_PX = 28
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class WeightsView(QWidget):
    """Grid of weight images, one for each unit; a click or the arrow keys select a unit."""

    chosen = Signal(int)  # the unit

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pictures: Floats = np.empty((0, 1, 1), np.float32)
        self.tiles: TileGrid | None = None
        self._n_units = 0
        self._unit: int | None = None
        self.setObjectName("weights_view")
        self.setAccessibleName("First-layer weights")
        set_accessible_role(self, Role.Graphic)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._colours = colour_table(theme.tokens)
        theme.changed.connect(self._recolour)

    def set_pictures(self, pictures: Floats, n_units: int) -> None:
        """Show weight images of shape (units, height, width); ``n_units`` is the number of all units of the layer."""
        self._n_units = n_units
        if len(pictures) != len(self._pictures):
            self._unit = None
        # Each image is scaled to its own range, so that units with small weights can be seen as well.
        self._pictures = pictures / np.maximum(np.abs(pictures).max(axis=(1, 2), keepdims=True), 1e-30)
        self._lay_out()

    def set_unit(self, unit: int | None) -> None:
        """Mark a unit as selected; None marks no unit."""
        self._unit = unit
        self.update()

    def _recolour(self) -> None:
        self._colours = colour_table(self._theme.tokens)
        self.update()

    def _lay_out(self) -> None:
        n, height, width = self._pictures.shape
        room = QRectF(0, scaled(CAPTION_PX), self.width(), max(1, self.height() - scaled(CAPTION_PX)))
        self.tiles = TileGrid(n, (height, width), room) if n else None
        self.update()

    def _choose(self, unit: int) -> None:
        self._unit = unit
        self.setAccessibleDescription(f"Unit {unit}")
        self.update()
        self.chosen.emit(unit)

    # Qt overrides.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        tiles = self.tiles
        if tiles is None:
            return
        tokens = self._theme.tokens
        painter = QPainter(self)
        tiles.paint(painter, self._pictures, 1.0, self._colours, QColor(tokens.card))
        _, height, width = self._pictures.shape
        count = f"{tiles.n} of {self._n_units}" if tiles.n < self._n_units else str(tiles.n)
        font = self.font()
        font.setPixelSize(scaled(12))
        painter.setFont(font)
        painter.setPen(QColor(tokens.soft))
        caption = f"{count} units of the first layer, {height} × {width} weights each, each scaled to its own range"
        painter.drawText(QRectF(0, 0, self.width(), 18), Qt.AlignmentFlag.AlignLeft, caption)
        if self._unit is not None and self._unit < tiles.n:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(tokens.text if self.hasFocus() else tokens.accent), 2))
            painter.drawRoundedRect(tiles.rect(self._unit).adjusted(-1, -1, 1, 1), 2, 2)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = None if self.tiles is None else self.tiles.at(event.position())
        if place is not None:
            self._choose(place[0])

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self.tiles is None or key not in ARROWS:
            super().keyPressEvent(event)
            return
        neighbour = 0 if self._unit is None else self.tiles.neighbour(self._unit, key)
        if neighbour is not None:
            self._choose(neighbour)
