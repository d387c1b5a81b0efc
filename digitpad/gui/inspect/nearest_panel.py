"""Panel of the training images most similar to the drawing, by pixels and by the last hidden layer."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from digitpad.gui.canvas.qt_images import inked
from digitpad.gui.data.dataset_loader import DatasetLoader
from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE, make_label
from digitpad.gui.widgets.text_size import scaled
from digitpad.gui.widgets.theme import Theme, fixed_width_digits
from digitpad.inspection.arithmetic import format_value
from digitpad.inspection.neighbours import FeatureIndex, Nearest, nearest_by_pixels
from digitpad.number_format import format_count
from digitpad.weights.native_format import Weights

N_NEAREST = 8
N_COLUMNS = 4
LINE_PX = 16
LONG = 2  # characters; a longer class name is drawn above its distance, not beside it
LOOK_EVERY = 10
"""Chunks of training images evaluated between two updates of the nearest images."""


@dataclass(frozen=True, eq=False)
class NearestResult:
    """Nearest images by one distance, with the names of their classes; ``n`` is the number of images to search."""

    by_pixels: bool
    images: NDArray[np.uint8]
    names: tuple[str, ...]
    distances: NDArray[np.floating]
    n_searched: int
    n: int


class _Search:
    """Search for the nearest images; it runs in a thread and keeps the features of training images between drawings."""

    def __init__(self, weights: Weights, data: DatasetLoader) -> None:
        self._weights, self._data = weights, data
        self._index: FeatureIndex | None = None

    def __call__(self, image: NDArray[np.uint8]) -> Generator[NearestResult | None, None, None]:
        training = self._data.get().training
        yield None
        nearest = yield from nearest_by_pixels(image, training.images, N_NEAREST)
        yield self._result(nearest, len(training), by_pixels=True)
        if self._index is None:
            self._index = FeatureIndex(self._weights, training.images)
        index = self._index
        if index.n_read:
            yield self._result(index.nearest(image, N_NEAREST), index.n_images, by_pixels=False)
        for number_of_chunk, _ in enumerate(index.read_on(), start=1):
            if number_of_chunk % LOOK_EVERY == 0 or index.n_read == index.n_images:
                yield self._result(index.nearest(image, N_NEAREST), index.n_images, by_pixels=False)
            else:
                yield None

    def _result(self, nearest: Nearest, n: int, *, by_pixels: bool) -> NearestResult:
        dataset = self._data.get()
        images, labels = dataset.training.images[nearest.places], dataset.training.labels[nearest.places]
        names = tuple(dataset.class_names[label] for label in labels)
        return NearestResult(by_pixels, images, names, nearest.distances, nearest.n_searched, n)


class _NearestImages(QWidget):
    """Images with their class names and distances."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.result: NearestResult | None = None
        self._pictures: list[QImage] = []
        self.setObjectName(name)
        set_accessible_role(self, Role.Graphic)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self._draw)

    def set_result(self, result: NearestResult | None) -> None:
        """Show these images, or none."""
        self.result = result
        self.setAccessibleDescription("none yet" if result is None else ", ".join(result.names))
        self._draw()

    def _draw(self) -> None:
        tokens = self._theme.tokens
        images = [] if self.result is None else list(self.result.images)
        self._pictures = [inked(image, QColor(tokens.pad), QColor(tokens.ink)) for image in images]
        self.update()

    # Qt overrides.

    def sizeHint(self) -> QSize:
        return QSize(280, 160)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        n_rows = N_NEAREST // N_COLUMNS
        names = () if self.result is None else self.result.names
        n_lines = 2 if max(map(len, names), default=0) > LONG else 1  # of text below an image
        words_px = 6 + scaled(LINE_PX) * n_lines
        side = int(min((self.width() - (N_COLUMNS - 1) * 8) / N_COLUMNS, self.height() / n_rows - words_px, 112))
        font = fixed_width_digits(self.font())
        font.setPixelSize(scaled(12))
        for place in range(N_NEAREST):
            row, column = divmod(place, N_COLUMNS)
            corner = QPointF(column * (self.width() - side) / (N_COLUMNS - 1), row * (side + words_px + 2))
            box = QRectF(corner.x(), corner.y(), side, side).toRect()
            if place >= len(self._pictures) or self.result is None:
                painter.fillRect(box, QColor(tokens.ground))
                continue
            painter.setPen(QColor(tokens.hairline))
            painter.drawImage(box, self._pictures[place])
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            below = QRectF(box.left(), box.bottom() + 3, side, scaled(LINE_PX))
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(QColor(tokens.text))
            distance = format_value(float(self.result.distances[place]))
            name = painter.fontMetrics().elidedText(names[place], Qt.TextElideMode.ElideRight, side)
            painter.drawText(below, Qt.AlignmentFlag.AlignLeft, name)
            font.setBold(False)
            painter.setFont(font)
            painter.setPen(QColor(tokens.soft))
            align = Qt.AlignmentFlag.AlignRight if n_lines == 1 else Qt.AlignmentFlag.AlignLeft
            painter.drawText(below.translated(0, scaled(LINE_PX) * (n_lines - 1)), align, distance)
        painter.end()


class NearestPanel(QWidget):
    """Panel of the nearest images; it searches only while it is visible and no stroke is being drawn."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._image: NDArray[np.uint8] | None = None
        self._search: _Search | None = None
        self._weights: Weights | None = None
        self._data: DatasetLoader | None = None
        self.by_pixels = _NearestImages(theme, "nearest_by_pixels")
        self.by_layer = _NearestImages(theme, "nearest_by_layer")
        self._pixels_caption = make_label("", "caption", "pixels_said")
        self._layer_caption = make_label("", "caption", "layer_said")
        self.by_pixels.setAccessibleName("Nearest by pixels")
        self.by_layer.setAccessibleName("Nearest by the last hidden layer")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE)
        for title, caption, images in (
            ("Nearest training images by pixels", self._pixels_caption, self.by_pixels),
            ("By the last hidden layer", self._layer_caption, self.by_layer),
        ):
            column.addWidget(make_label(title, "strong"))
            caption.setWordWrap(True)
            column.addWidget(caption)
            column.addSpacing(SPACE)
            column.addWidget(images, 1)
        self._tasks = TaskRunner("nearest images", Policy.LATEST, self)
        self._clear()

    def set_weights(self, weights: Weights) -> None:
        """Use the features of these weights for the search by layer."""
        self._weights, self._search = weights, None
        self.by_layer.set_result(None)
        self._begin()

    def set_data(self, data: DatasetLoader) -> None:
        """Search the training set of this dataset."""
        self._data, self._search = data, None
        self._clear()
        self._begin()

    def set_image(self, image: NDArray[np.uint8] | None) -> None:
        """Search for the images nearest to a finished drawing, uint8 of shape (28, 28); None shows nothing."""
        self._image = image
        if image is None:
            self._clear()
        self._begin()

    def _begin(self) -> None:
        if self._image is None or self._weights is None or self._data is None or not self.isVisible():
            self.cancel()
            return
        if self._search is None:
            self._search = _Search(self._weights, self._data)
        search, image = self._search, self._image
        self._tasks.start(lambda: search(image), progressed=self._show, failed=self._show_error)

    def cancel(self) -> None:
        """Stop the search."""
        self._tasks.cancel()

    def _clear(self) -> None:
        self.by_pixels.set_result(None)
        self.by_layer.set_result(None)
        self._pixels_caption.setText("Draw to find similar images")
        self._layer_caption.setText("Images that are similar to the network")

    def _show_error(self, error: Exception) -> None:
        self._clear()
        self._pixels_caption.setText(error_message(error))

    def _show(self, result: NearestResult) -> None:
        if result.by_pixels:
            self.by_pixels.set_result(result)
            self._pixels_caption.setText(f"Most similar of {format_count(result.n)}, by pixels")
        else:
            self.by_layer.set_result(result)
            done, searched = result.n_searched == result.n, format_count(result.n_searched)
            self._layer_caption.setText(
                f"Most similar of {searched}, by activations" if done else f"{searched} searched so far…"
            )
