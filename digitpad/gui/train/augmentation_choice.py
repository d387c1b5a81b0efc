"""Choice of the augmentation: a few named sets of amounts, or custom amounts."""

import dataclasses

from PySide6.QtCore import Qt

from digitpad.gui.widgets.form_widgets import Choice
from digitpad.training.recipe import AugmentationSettings

OWN_AMOUNTS = "Custom"

_HANDWRITING = AugmentationSettings(rotate_deg=12, shift_px=1.5, scale=0.12, shear=0.25)

AUGMENTATIONS = {
    "None": AugmentationSettings(),
    "Slight": AugmentationSettings(rotate_deg=8, shift_px=1, scale=0.08, shear=0.1),
    "Handwriting variation": _HANDWRITING,
    "Handwriting and pens": dataclasses.replace(_HANDWRITING, elastic_px=1, thickness_px=1),
}


class AugmentationChoice(Choice):
    """Combo box of named sets of amounts, with custom amounts as the last item."""

    def __init__(self) -> None:
        super().__init__()
        self._amounts: list[dict[str, float]] = []  # amounts of each item
        for name, part in AUGMENTATIONS.items():
            self._add(name, dataclasses.asdict(part))

    def value(self) -> dict[str, float]:
        """Return the amounts by their names in a recipe."""
        return self._amounts[self.currentIndex()]

    def set_value(self, amounts: dict[str, float]) -> None:
        """Choose the set with these amounts, or show them as custom amounts."""
        custom = len(AUGMENTATIONS)
        if amounts in self._amounts[:custom]:
            self.setCurrentIndex(self._amounts.index(amounts))
            return
        if self.count() == custom:
            self._add(OWN_AMOUNTS, amounts)
        self._amounts[custom] = amounts
        self.setItemData(custom, describe_amounts(amounts), Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(custom)

    def _add(self, name: str, amounts: dict[str, float]) -> None:
        self._amounts.append(amounts)
        self.addItem(name)
        self.setItemData(self.count() - 1, describe_amounts(amounts), Qt.ItemDataRole.ToolTipRole)


def describe_amounts(amounts: dict[str, float]) -> str:
    """Return the amounts above 0 in words, as in ``rotate 12 deg, shift 1.5 px, scale 0.12``."""
    words = []
    for key, amount in amounts.items():
        name, _, unit = key.partition("_")
        if amount:
            words.append(f"{name} {amount:g} {unit}".rstrip())
    return ", ".join(words) or "nothing"
