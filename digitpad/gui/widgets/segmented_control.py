"""Segmented control: adjacent buttons with exactly one selected."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import keep_width, named


class SegmentedControl(QWidget):
    """Row of adjacent buttons; the arrow keys move the selection. With ``pages``, they are tabs that show pages."""

    chosen = Signal(int)  # index of the selected button

    def __init__(
        self, names: Sequence[str], name: str, accessible_name: str, *, pages: bool = False, tight: bool = False
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        set_accessible_role(self, Role.PageTabList if pages else Role.Grouping)
        buttons = [named(QPushButton(text), f"{name}_{text.split()[0].lower()}") for text in names]
        for place, button in enumerate(buttons):
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus if place else Qt.FocusPolicy.StrongFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._group = join_buttons(buttons, row, self, pages=pages, tight=tight)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._toggled)

    def button(self, place: int) -> QPushButton:
        """Return the button at an index."""
        button = self._group.button(place)
        assert isinstance(button, QPushButton)
        return button

    @property
    def current(self) -> int:
        """Index of the selected button."""
        return self._group.checkedId()

    def choose(self, place: int) -> None:
        """Select the button at an index."""
        self._group.button(place).setChecked(True)

    def _toggled(self, place: int, checked: bool) -> None:
        # Tab moves the focus to the selected button, and the arrow keys continue from it.
        policy = Qt.FocusPolicy.StrongFocus if checked else Qt.FocusPolicy.ClickFocus
        self._group.button(place).setFocusPolicy(policy)
        if checked:
            self.chosen.emit(place)


def join_buttons(
    buttons: Sequence[QPushButton],
    row: QHBoxLayout,
    parent: QObject,
    *,
    tight: bool = False,
    stretch: int = 0,
    pages: bool = False,
) -> QButtonGroup:
    """Put buttons into a row without gaps, exactly one of them selected; their ids are their indices.

    With ``pages``, assistive tools report tabs that show pages; otherwise radio buttons.
    """
    row.setSpacing(0)
    group = QButtonGroup(parent)
    for place, button in enumerate(buttons):
        button.setCheckable(True)
        set_accessible_role(button, Role.PageTab if pages else Role.RadioButton)
        button.setProperty("kind", {0: "left", len(buttons) - 1: "right"}.get(place, "middle"))
        keep_width(button, tight=tight)
        group.addButton(button, place)
        row.addWidget(button, stretch)
    return group
