"""Figures of matplotlib's within Qt, whose lines move at little cost.

A full draw costs about 25 ms and a blit 1 ms, so the axes are drawn in full only when they change (size, theme,
limits); in between, the saved background is put back and the lines are drawn over it.
"""

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from digitpad.gui.widgets.theme import Theme


class BlittedFigure(FigureCanvasQTAgg):
    """What is animated in the figure is drawn by `_draw_lines`, over the background of the last full draw.

    Whoever derives from it sets in `_restyle` all else that a full draw shows, and calls it once there are axes.
    """

    def __init__(self, theme: Theme, name: str, size: tuple[float, float], parent: QWidget | None) -> None:
        self._theme = theme
        self._figure = Figure(figsize=size)
        super().__init__(self._figure)
        self.setParent(parent)
        self.setObjectName(name)
        self._background: object = None
        self._stale = True
        self.mpl_connect("draw_event", self._capture)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        """Set what a full draw shows, and draw in full when next shown."""
        self._stale = True
        if self.isVisible():
            self.draw_idle()

    def _draw_lines(self) -> None:
        raise NotImplementedError

    def _capture(self, event: object) -> None:
        """Keep what a full draw painted, without the animated lines; then draw those."""
        self._background = self.copy_from_bbox(self._figure.bbox)
        self._stale = False
        self._draw_lines()

    @property
    def _is_drawn(self) -> bool:
        """Whether there is something to draw over; else the full draw that is due shows the lines as well."""
        return self.isVisible() and not self._stale and self._background is not None

    def _blit(self) -> None:
        if self._is_drawn:
            self.restore_region(self._background)
            self._draw_lines()
            self.blit(self._figure.bbox)

    # Overrides of Qt's.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.draw_idle()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._background = None
