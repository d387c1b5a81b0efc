"""View of a matplotlib diagram, drawn in a thread because matplotlib needs 50 to 300 ms."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from digitpad.gui.tasks.task import Policy, TaskRunner, error_message
from digitpad.gui.tasks.throttle import Throttle
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme
from digitpad.plotting.palette import Palette

if TYPE_CHECKING:
    from digitpad.plotting.evaluation_plots import Draw

RESIZE_MS = 100
SMALLEST = QSize(360, 260)  # a smaller view has no room for axes

MakeDraw = Callable[[], "Draw"]


class DiagramView(QWidget):
    """Widget that shows a diagram or a text; a new size or theme redraws the diagram."""

    def __init__(self, theme: Theme, name: str) -> None:
        super().__init__()
        self._theme = theme
        self._make: MakeDraw | None = None
        self._words = ""
        self._image: QImage | None = None
        self._stale = False
        self.setObjectName(name)
        set_accessible_role(self, Role.Chart)
        self.setMinimumSize(SMALLEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._tasks = TaskRunner(name, Policy.LATEST, self)
        self._drawing = Throttle(self._draw, RESIZE_MS, self)
        theme.changed.connect(self._mark_stale)

    def set_diagram(self, make: MakeDraw, accessible_name: str, description: str) -> None:
        """Show a diagram; ``make`` returns its drawing function, and runs in a thread because it imports matplotlib."""
        self._make, self._words, self._image = make, "", None
        self.setAccessibleName(accessible_name)
        self.setAccessibleDescription(description)
        self._mark_stale()

    def set_words(self, words: str) -> None:
        """Show a text instead of a diagram."""
        self._make, self._words, self._image = None, words, None
        self.setAccessibleName(words)
        self.setAccessibleDescription("")
        self._tasks.cancel()
        self.update()

    @property
    def is_drawn(self) -> bool:
        """Whether the current diagram is drawn and up to date."""
        return self._image is not None and not self._stale and not self._tasks.busy

    def _mark_stale(self) -> None:
        self._stale = True
        self.update()
        self._drawing.request()

    def _draw(self) -> None:
        # Only one drawing runs at a time; a stale diagram is redrawn when it ends.
        if self._make is None or not self.isVisible() or not self._stale or self._tasks.busy:
            return
        self._stale = False
        make, size, scale, colours = self._make, self.size(), self.devicePixelRatioF(), self._theme.tokens
        self._tasks.start(lambda: _render(make, size, scale, colours), finished=self._show, failed=self._show_error)

    def _show(self, pixels: NDArray[np.uint8]) -> None:
        height, width = pixels.shape[:2]
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
        self._image = image
        self.update()
        if self._stale:
            self._drawing.request()

    def _show_error(self, error: Exception) -> None:
        self.set_words(f"Can't draw this diagram: {error_message(error)}")

    # Qt overrides.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._mark_stale()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._drawing.request()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self._image is not None:
            painter.drawImage(self.rect(), self._image)
        elif self._words:
            painter.setPen(QColor(self._theme.tokens.soft))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)
        painter.end()


def _render(make: MakeDraw, size: QSize, scale: float, colours: Palette) -> Generator[None, None, NDArray[np.uint8]]:
    yield
    from digitpad.plotting.evaluation_plots import rendered

    return rendered(make(), size.width(), size.height(), scale, colours)
