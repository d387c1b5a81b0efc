"""A few choices beside each other, of which one holds."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from digitpad.gui.widgets.basics import keep_width, named


class SegmentedControl(QWidget):
    """Buttons without gaps; the arrow keys go from one to the next."""

    chosen = Signal(int)  # its place

    def __init__(self, names: Sequence[str], name: str, accessible_name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, text in enumerate(names):
            button = named(QPushButton(text), f"{name}_{text.split()[0].lower()}")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus if place else Qt.FocusPolicy.StrongFocus)
            button.setProperty("kind", {0: "left", len(names) - 1: "right"}.get(place, "middle"))
            keep_width(button)
            self._group.addButton(button, place)
            row.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._toggled)

    def button(self, place: int) -> QPushButton:
        """The button at that place."""
        button = self._group.button(place)
        assert isinstance(button, QPushButton)
        return button

    @property
    def current(self) -> int:
        """The place of what is chosen."""
        return self._group.checkedId()

    def choose(self, place: int) -> None:
        """Choose what is at that place."""
        self._group.button(place).setChecked(True)

    def _toggled(self, place: int, checked: bool) -> None:
        # Tab comes to what is chosen, and the arrows go on from there.
        policy = Qt.FocusPolicy.StrongFocus if checked else Qt.FocusPolicy.ClickFocus
        self._group.button(place).setFocusPolicy(policy)
        if checked:
            self.chosen.emit(place)
