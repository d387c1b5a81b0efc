"""How far digits are changed in training: one of a few sets of amounts, or one's own."""

import dataclasses

from PySide6.QtCore import Qt

from digitpad.gui.widgets.form_widgets import Choice
from digitpad.training.recipe import AugmentationSettings

OWN_AMOUNTS = "Own amounts"

_HANDS = AugmentationSettings(rotate_deg=12, shift_px=1.5, scale=0.12, shear=0.25)

AUGMENTATIONS = {
    "None": AugmentationSettings(),
    "A little": AugmentationSettings(rotate_deg=8, shift_px=1, scale=0.08, shear=0.1),
    "As hands vary": _HANDS,
    "As hands and pens": dataclasses.replace(_HANDS, elastic_px=1, thickness_px=1),
}


class AugmentationChoice(Choice):
    """Sets by name, and last those amounts that have none."""

    def __init__(self) -> None:
        super().__init__()
        self._amounts: list[dict[str, float]] = []  # of each item
        for name, part in AUGMENTATIONS.items():
            self._add(name, dataclasses.asdict(part))

    def value(self) -> dict[str, float]:
        """The amounts, by their names in a recipe."""
        return self._amounts[self.currentIndex()]

    def set_value(self, amounts: dict[str, float]) -> None:
        """Choose a set; without a name, it is one's own."""
        own = len(AUGMENTATIONS)
        if amounts in self._amounts[:own]:
            self.setCurrentIndex(self._amounts.index(amounts))
            return
        if self.count() == own:
            self._add(OWN_AMOUNTS, amounts)
        self._amounts[own] = amounts
        self.setItemData(own, describe_amounts(amounts), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(own)

    def _add(self, name: str, amounts: dict[str, float]) -> None:
        self._amounts.append(amounts)
        self.addItem(name)
        self.setItemData(self.count() - 1, describe_amounts(amounts), Qt.ItemDataRole.ToolTipRole)


def describe_amounts(amounts: dict[str, float]) -> str:
    """The amounts above 0, as in ``rotate 12 deg, shift 1.5 px, scale 0.12``."""
    words = []
    for key, amount in amounts.items():
        name, _, unit = key.partition("_")
        if amount:
            words.append(f"{name} {amount:g} {unit}".rstrip())
    return ", ".join(words) or "nothing"
