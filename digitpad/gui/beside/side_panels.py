"""Panels beside the tabs, or below them where the window is narrow."""

from typing import Protocol, cast

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QBoxLayout, QWidget

from digitpad.gui.widgets.text_size import scaled

WIDE_PX = 1280
"""Width of the window from which on panels stand at its side."""


class SidePanel(Protocol):
    """A widget that can stand at the side of the window, or at its bottom."""

    def stand(self, *, at_side: bool) -> None:
        """Arrange the panel for its place."""


class SidePanels(QObject):
    """Arranges the panels of a window.

    Parameters
    ----------
    window : QWidget
    body : QBoxLayout
        It has the tabs as its first item.
    """

    def __init__(self, window: QWidget, body: QBoxLayout) -> None:
        super().__init__(window)
        self._window, self._body = window, body
        self._panels: list[QWidget] = []
        window.installEventFilter(self)

    def add(self, panel: QWidget) -> None:
        """Show a panel, which is a `SidePanel`, until it is destroyed."""
        self._panels.append(panel)
        panel.destroyed.connect(lambda: self._panels.remove(panel))
        self._body.addWidget(panel)
        panel.show()
        self._arrange()

    def _arrange(self) -> None:
        if self._panels:
            at_side = self._window.width() >= scaled(WIDE_PX)
            direction = QBoxLayout.Direction
            self._body.setDirection(direction.LeftToRight if at_side else direction.TopToBottom)
            for panel in self._panels:
                cast(SidePanel, panel).stand(at_side=at_side)

    # Qt overrides.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._arrange()
        return False
