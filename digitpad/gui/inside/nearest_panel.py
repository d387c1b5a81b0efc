"""The training digits that are nearest to the drawing: by their pixels, and by the last hidden layer."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from digitpad.datasets.dataset import mnist
from digitpad.gui.latest_work import LatestWork
from digitpad.gui.pictures import inked
from digitpad.gui.theme import Theme, fixed_width_digits
from digitpad.gui.widgets import SPACE, label
from digitpad.inspection.arithmetic import number
from digitpad.inspection.neighbours import Memory, Nearest, nearest_by_pixels
from digitpad.weights.weights import Weights

N_NEAREST = 8
N_COLUMNS = 4
LOOK_EVERY = 10
"""Chunks of training digits that are read between two looks at those read so far."""


@dataclass(frozen=True, eq=False)
class Found:
    """The nearest digits by one measure, of which ``n`` are to be searched in all."""

    by_pixels: bool
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    distances: NDArray[np.floating]
    n_searched: int
    n: int


class _Search:
    """Looks for the nearest digits of one drawing after another, in the thread; what was read is kept for the next."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._memory: Memory | None = None

    def __call__(self, image: NDArray[np.uint8]) -> Generator[Found | None, None, None]:
        training = mnist().training
        yield None
        found = yield from nearest_by_pixels(image, training.images, N_NEAREST)
        yield self._told(found, len(training), by_pixels=True)
        if self._memory is None:
            self._memory = Memory(self._weights, training.images)
        memory = self._memory
        if memory.n_read:
            yield self._told(memory.nearest(image, N_NEAREST), memory.n_images, by_pixels=False)
        for number_of_chunk, _ in enumerate(memory.read_on(), start=1):
            if number_of_chunk % LOOK_EVERY == 0 or memory.n_read == memory.n_images:
                yield self._told(memory.nearest(image, N_NEAREST), memory.n_images, by_pixels=False)
            else:
                yield None

    @staticmethod
    def _told(found: Nearest, n: int, *, by_pixels: bool) -> Found:
        training = mnist().training
        images, labels = training.images[found.places], training.labels[found.places]
        return Found(by_pixels, images, labels, found.distances, found.n_searched, n)


class _Digits(QWidget):
    """Digits with their labels and how far they are."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._found: Found | None = None
        self._pictures: list[QImage] = []
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._draw)

    def set_found(self, found: Found | None) -> None:
        """Show these, or none."""
        self._found = found
        said = [] if found is None else [str(one) for one in found.labels.tolist()]
        self.setAccessibleDescription(", ".join(said) or "none yet")
        self._draw()

    def _draw(self) -> None:
        tokens = self._theme.tokens
        images = [] if self._found is None else list(self._found.images)
        self._pictures = [inked(one, QColor(tokens.pad), QColor(tokens.ink)) for one in images]
        self.update()

    # Overrides of Qt's.

    def sizeHint(self) -> QSize:
        return QSize(280, 160)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        n_rows = N_NEAREST // N_COLUMNS
        side = int(min((self.width() - (N_COLUMNS - 1) * 8) / N_COLUMNS, self.height() / n_rows - 22, 112))
        font = fixed_width_digits(self.font())
        font.setPixelSize(12)
        for place in range(N_NEAREST):
            row, column = divmod(place, N_COLUMNS)
            corner = QPointF(column * (self.width() - side) / (N_COLUMNS - 1), row * (side + 24))
            box = QRectF(corner.x(), corner.y(), side, side).toRect()
            if place >= len(self._pictures) or self._found is None:
                painter.fillRect(box, QColor(tokens.ground))
                continue
            painter.setPen(QColor(tokens.hairline))
            painter.drawImage(box, self._pictures[place])
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            below = QRectF(box.left(), box.bottom() + 3, side, 16)
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(QColor(tokens.text))
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft, str(self._found.labels[place]))
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft))
            painter.drawText(below, Qt.AlignmentFlag.AlignRight, number(float(self._found.distances[place])))
        painter.end()


class NearestPanel(QWidget):
    """Searches only while it is shown, and while nothing is drawn."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._image: NDArray[np.uint8] | None = None
        self._search: _Search | None = None
        self._weights: Weights | None = None
        self.by_pixels = _Digits(theme, "nearest_by_pixels")
        self.by_layer = _Digits(theme, "nearest_by_layer")
        self._pixels_said = label("", "caption", "pixels_said")
        self._layer_said = label("", "caption", "layer_said")
        self.by_pixels.setAccessibleName("Nearest by pixels")
        self.by_layer.setAccessibleName("Nearest by the last hidden layer")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        for title, said, digits in (
            ("Nearest training digits by pixels", self._pixels_said, self.by_pixels),
            ("By the last hidden layer", self._layer_said, self.by_layer),
        ):
            column.addWidget(label(title, "strong"))
            column.addWidget(said)
            column.addSpacing(SPACE)
            column.addWidget(digits, 1)
        self.work = LatestWork("nearest digits", self)
        self.work.progressed.connect(self._show)
        self.work.failed.connect(self._layer_said.setText)
        self._clear()

    def set_weights(self, weights: Weights) -> None:
        """Search by what these say."""
        self._weights, self._search = weights, None
        self.by_layer.set_found(None)
        self._begin()

    def set_image(self, image: NDArray[np.uint8] | None) -> None:
        """Search for this drawing's, uint8 of shape (28, 28); it is finished, or None."""
        self._image = image
        if image is None:
            self._clear()
        self._begin()

    def _begin(self) -> None:
        if self._image is None or self._weights is None or not self.isVisible():
            self.work.cancel()
            return
        if self._search is None:
            self._search = _Search(self._weights)
        search, image = self._search, self._image
        self.work.start(lambda: search(image))

    def _clear(self) -> None:
        self.by_pixels.set_found(None)
        self.by_layer.set_found(None)
        self._pixels_said.setText("Draw a digit to find those like it.")
        self._layer_said.setText("What the network takes to be alike.")

    def _show(self, found: Found) -> None:
        if found.by_pixels:
            self.by_pixels.set_found(found)
            self._pixels_said.setText(f"Alike to the eye, of {_count(found.n)}.")
        else:
            self.by_layer.set_found(found)
            whole = found.n_searched == found.n
            searched = _count(found.n_searched)
            self._layer_said.setText(
                f"Alike to the network, of {searched}." if whole else f"Of {searched} read so far…"
            )


def _count(n: int) -> str:
    return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")
