"""The digits of a number, to choose one of them from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from digitpad.gui.widgets.accessibility import Role, set_accessible_role
from digitpad.gui.widgets.basics import SPACE
from digitpad.number_format import format_percent

if TYPE_CHECKING:
    from digitpad.recognition.reading import Item

_PADDING_PX = 12


class _ItemButton(QPushButton):
    """Leaves Left and Right to the row; by itself, Qt would move only the focus."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.ignore()
        else:
            super().keyPressEvent(event)


class ItemsRow(QWidget):
    """A button for each digit; a click, or Left and Right, chooses the one that the rest of the tab shows."""

    chosen = Signal(int)  # index of the item

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("items")
        self.setAccessibleName("Digits of the number")
        set_accessible_role(self, Role.Grouping)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._texts: list[tuple[str, str]] = []
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACE)
        self._row.addStretch(1)

    def set_items(self, items: Sequence["Item"], current: int) -> None:
        """Show the items of a reading; with only one, nothing."""
        self.setVisible(len(items) > 1)
        shares = [(item.text, format_percent(item.prediction.confidence)) for item in items]
        if len(shares) != len(self._texts):
            self._make_buttons(len(items))
        self._texts = shares
        fits = sum(self._width(f"{text}  {share}") + SPACE for text, share in shares) <= self.width()
        for place, ((text, share), item) in enumerate(zip(shares, items, strict=True)):
            button = self._group.button(place)
            button.setText(f"{text}  {share}" if fits else text)
            button.setToolTip(f"{text}, {share}" + ("" if item.sure else ", not sure"))
            button.setAccessibleName(f"digit {place + 1} of {len(items)}: {text}, {share}")
            button.setChecked(place == current)
            button.setMinimumWidth(self._width(button.text()))

    def _width(self, text: str) -> int:
        """Return the width of a button in bold, as the chosen one is."""
        bold = self.font()
        bold.setBold(True)
        return QFontMetrics(bold).horizontalAdvance(text) + _PADDING_PX

    def _make_buttons(self, n: int) -> None:
        for button in self._group.buttons():
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        for place in range(n):
            button = _ItemButton(self)
            button.setCheckable(True)
            button.setObjectName(f"item_{place}")
            button.setProperty("kind", "link")  # low enough for a small window
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # the pad keeps the focus for its arrow keys
            self._group.addButton(button, place)
            self._row.insertWidget(place, button)
            button.show()

    # Qt overrides.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        place = self._group.checkedId() + step
        if step and 0 <= place < len(self._group.buttons()):
            self._group.button(place).setFocus()
            self._group.button(place).click()
        else:
            super().keyPressEvent(event)
