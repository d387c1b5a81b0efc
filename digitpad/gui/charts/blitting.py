"""Matplotlib figures in Qt with fast updates of their lines.

A full draw takes about 25 ms and a blit 1 ms. The axes are therefore drawn in full only when they change (size, theme,
limits). Otherwise the saved background is restored, and the lines are drawn over it.
"""

from matplotlib.axis import Axis
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFontInfo, QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from digitpad.gui.charts.copy_picture import offer_copy
from digitpad.gui.widgets.theme import Theme

_FEW = 50  # a range with a smaller ratio shows hardly a power of ten


class BlittedFigure(FigureCanvasQTAgg):
    """Figure canvas that draws its animated lines with `_draw_lines`, over the background of the last full draw.

    Subclasses set everything else that a full draw shows in `_restyle`, and call it after creating the axes.
    """

    def __init__(self, theme: Theme, name: str, size: tuple[float, float], parent: QWidget | None) -> None:
        self._theme = theme
        self.figure = Figure(figsize=size)
        super().__init__(self.figure)
        offer_copy(self)
        self.setParent(parent)
        self.setObjectName(name)
        self._background: object = None
        self._stale = True
        self.mpl_connect("draw_event", self._capture)
        theme.changed.connect(self._restyle)

    @property
    def text_px(self) -> int:
        """Size of the text of the window in pixels, which labels and margins follow."""
        self.ensurePolished()
        return QFontInfo(self.font()).pixelSize()

    def text_points(self, share: float) -> float:
        """Return a font size for Matplotlib, as a share of the text of the window."""
        return share * self.text_px * 72 / (self.figure.dpi / self.device_pixel_ratio)

    def _restyle(self) -> None:
        """Update everything that a full draw shows, and schedule a full draw."""
        self._stale = True
        if self.isVisible():
            self.draw_idle()

    def _draw_lines(self) -> None:
        raise NotImplementedError

    def _capture(self, event: object) -> None:
        """Save the result of a full draw without the animated lines, then draw the lines."""
        self._background = self.copy_from_bbox(self.figure.bbox)
        self._stale = False
        self._draw_lines()

    @property
    def is_drawn(self) -> bool:
        """Whether a background is available; otherwise the pending full draw also draws the lines."""
        return self.isVisible() and not self._stale and self._background is not None

    def _blit(self) -> None:
        if self.is_drawn:
            self.restore_region(self._background)
            self._draw_lines()
            self.blit(self.figure.bbox)

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.draw_idle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._restyle()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._background = None


def set_loss_ticks(axis: Axis, low: float, high: float) -> None:
    """Mark the powers of ten between two limits; in a short range also twice and five times these."""
    ticks = LogLocator(subs=(1, 2, 5) if high / low < _FEW else (1,), numticks=8).tick_values(low, high)
    axis.set_major_locator(FixedLocator([tick for tick in ticks if low / 1.001 <= tick <= high * 1.001]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())
