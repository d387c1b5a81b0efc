"""Grid of small images, as large as the widget allows."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme

GAP = 4


class ImageGrid(QWidget):
    """Grid of images of the same size, in grey levels or in two colours.

    Parameters
    ----------
    theme : Theme
    name : str
        Object name.
    title : str
        Accessible name.
    signed : bool
        Whether to show levels below and above 128 in two colours.
    """

    def __init__(self, theme: Theme, name: str, title: str, *, signed: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(title)
        set_accessible_role(self, Role.Graphic)
        self._theme, self._signed = theme, signed
        self.images: NDArray[np.uint8] = np.zeros((0, 28, 28), np.uint8)
        self.setMinimumHeight(90)
        theme.changed.connect(self.update)

    def set_images(self, images: NDArray[np.uint8]) -> None:
        """Show images of shape (n, height, width)."""
        self.images = images
        self.setAccessibleDescription(f"{len(images)} images")
        self.update()

    @property
    def n_images(self) -> int:
        """Number of images."""
        return len(self.images)

    def _layout(self) -> tuple[int, float]:
        """Return the number of columns and the side of an image with its gap that fill the widget best."""
        n, width, height = max(1, len(self.images)), self.width() + GAP, self.height() + GAP
        columns = max(range(1, n + 1), key=lambda columns: min(width / columns, height / math.ceil(n / columns)))
        return columns, min(width / columns, height / math.ceil(n / columns))

    def _colours(self) -> list[int]:
        """Return an RGB value for each grey level."""
        if not self._signed:
            return [QColor(level, level, level).rgb() for level in range(256)]
        tokens = self._theme.tokens
        middle, below, above = (QColor(name) for name in (tokens.ground, tokens.second, tokens.accent))
        table = []
        for level in range(256):
            end, share = (above, (level - 128) / 127) if level > 128 else (below, (128 - level) / 128)
            parts = (
                round(getattr(middle, part)() + share * (getattr(end, part)() - getattr(middle, part)()))
                for part in ("red", "green", "blue")
            )
            table.append(QColor(*parts).rgb())
        return table

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(400, 160)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        columns, step = self._layout()
        rows = math.ceil(len(self.images) / columns)
        left, top = (self.width() + GAP - columns * step) / 2, (self.height() + GAP - rows * step) / 2
        table = self._colours()
        for index, pixels in enumerate(np.ascontiguousarray(self.images)):
            height, width = pixels.shape
            image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
            image.setColorTable(table)
            row, column = divmod(index, columns)
            painter.drawImage(QRectF(left + column * step, top + row * step, step - GAP, step - GAP), image)
        painter.end()
