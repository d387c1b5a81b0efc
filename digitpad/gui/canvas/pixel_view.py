"""View of the 28 × 28 pixels of the network input, and of the evidence in them."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QWidget

from digitpad.gui.canvas.qt_images import from_grey
from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.theme import Theme
from digitpad.ink.raster import SIDE
from digitpad.nn.arrays import Floats
from digitpad.plotting.palette import DARK

if TYPE_CHECKING:
    from digitpad.recognition.explainer import Evidence
    from digitpad.recognition.recognizer import Prediction

GREY = 0.4
"""Brightness of ink under the evidence."""

FAINTEST = 0.06
"""Smallest evidence that is shown, as a share of the strongest."""

SPEAKS_FOR, SPEAKS_AGAINST = (
    QColor(DARK.accent),
    QColor(DARK.second),
)  # for both themes, as the background is black


def evidence_picture(pixels: Floats) -> QImage:
    """Return a transparent picture of the evidence, with one pixel for each of the network input."""
    strength = np.sqrt(np.abs(pixels) / max(float(np.abs(pixels).max()), 1e-9))
    strength[strength <= np.sqrt(FAINTEST)] = 0
    supports, opposes = ((c.red(), c.green(), c.blue()) for c in (SPEAKS_FOR, SPEAKS_AGAINST))
    colours = np.zeros((*pixels.shape, 4), np.uint8)
    colours[..., :3] = np.where((pixels > 0)[..., None], supports, opposes)
    colours[..., 3] = np.rint(255 * 0.9 * strength)
    height, width = pixels.shape
    return QImage(colours.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


class PixelView(QWidget):
    """Enlarged network input of 28 × 28 pixels, optionally with the evidence for and against the prediction.

    Pixels that support the prediction are filled, and pixels against it are striped. Stronger evidence is more opaque.
    """

    def __init__(self, theme: Theme, side: int = 112) -> None:
        super().__init__()
        self._image: QImage | None = None
        self._evidence: Evidence | None = None
        self.setObjectName("seen")
        self.set_side(side)
        self.setAccessibleName("Network input")
        set_accessible_role(self, Role.Graphic)
        theme.changed.connect(self.update)

    def set_side(self, side_px: int) -> None:
        """Set the size of the square."""
        self.setFixedSize(QSize(side_px, side_px))

    def set_prediction(self, prediction: "Prediction | None") -> None:
        """Show the network input of a prediction, or black."""
        self._evidence = None
        self._image = None if prediction is None else from_grey(prediction.image)
        self.setAccessibleDescription("")
        self.update()

    def set_evidence(self, evidence: "Evidence") -> None:
        """Show a network input with its evidence."""
        self._evidence = evidence
        self.setAccessibleDescription(evidence.description)
        self.set_ink(evidence.image)

    def set_ink(self, image: NDArray[np.uint8]) -> None:
        """Replace the ink under the current evidence."""
        self._image = from_grey(np.rint(image * GREY).astype(np.uint8))
        self.update()

    @property
    def has_evidence(self) -> bool:
        """Whether evidence is shown."""
        return self._evidence is not None

    def _paint_evidence(self, painter: QPainter, pixels: Floats) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        strength = np.sqrt(np.abs(pixels) / max(float(np.abs(pixels).max()), 1e-9))
        width, height = self.width() / SIDE, self.height() / SIDE
        for y, x in np.argwhere(strength > np.sqrt(FAINTEST)).tolist():
            cell = QRectF(x * width, y * height, width, height)
            colour = QColor(SPEAKS_FOR if pixels[y, x] > 0 else SPEAKS_AGAINST)
            colour.setAlphaF(float(strength[y, x]))
            if pixels[y, x] < 0:
                cell.setHeight(height / 2)
            painter.fillRect(cell, colour)

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        corners = QPainterPath()
        corners.addRoundedRect(self.rect(), 5, 5)
        painter.setClipPath(corners)
        painter.fillRect(self.rect(), QColor("black"))
        if self._image is not None:
            painter.drawImage(self.rect(), self._image)
        if self._evidence is not None:
            self._paint_evidence(painter, self._evidence.pixels)
        painter.end()
