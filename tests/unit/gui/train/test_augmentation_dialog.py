import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QDoubleSpinBox, QPushButton, QSlider
from pytestqt.qtbot import QtBot

from digitpad import assets
from digitpad.datasets.augmentation.augment import Augmenter
from digitpad.datasets.dataset import one_of_each
from digitpad.gui.session import TrainingState
from digitpad.gui.shell.window import Window
from digitpad.gui.train.augmentation_choice import AUGMENTATIONS, describe_amounts
from digitpad.gui.train.augmentation_dialog import N_COPIES, AugmentationDialog, DigitGrid
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Mode
from digitpad.plotting.palette import DARK, LIGHT
from digitpad.training.recipe import AugmentationSettings, Recipe
from tests.unit.gui.hand import TRAIN, find

SOME = {"rotate_deg": 12.0, "elastic_px": 1.0}


@pytest.fixture
def form(window: Window) -> SettingsForm:
    """Return the visible form, with some augmentation."""
    window.show_page(TRAIN)
    form = window.page(TrainTab).form
    form.set_recipe(Recipe(augmentation=AugmentationSettings(**SOME)))
    return form


@pytest.fixture
def dialog(form: SettingsForm) -> AugmentationDialog:
    """Return the open preview."""
    find(form, QPushButton, "preview_button").click()
    return find(form, AugmentationDialog)


def grid(dialog: AugmentationDialog) -> np.ndarray:
    return find(dialog, DigitGrid).images


def amounts(form: SettingsForm) -> AugmentationSettings:
    recipe = form.recipe()
    assert recipe is not None
    return recipe.augmentation


def test_digits_and_augmented_copies_are_shown(dialog: AugmentationDialog) -> None:
    """The grid shows the built-in digits and copies augmented by these amounts."""
    digits = one_of_each()
    np.testing.assert_array_equal(grid(dialog)[:, 0], digits)
    augmented = Augmenter(AugmentationSettings(**SOME))(np.repeat(digits, N_COPIES, axis=0), np.random.default_rng(1))
    np.testing.assert_array_equal(grid(dialog)[:, 1:].reshape(-1, 28, 28), augmented)


def test_copies_equal_the_digit_without_augmentation(form: SettingsForm) -> None:
    """Without augmentation all copies equal the original."""
    form.set_recipe(Recipe())
    find(form, QPushButton, "preview_button").click()
    dialog = find(form, AugmentationDialog)
    assert (grid(dialog) == grid(dialog)[:, :1]).all()


def test_same_seed_gives_the_same_copies(qtbot: QtBot, dialog: AugmentationDialog) -> None:
    """Draw again uses another seed; the same seed gives the same copies."""
    first = grid(dialog).copy()
    find(dialog, QPushButton, "draw_again_button").click()
    qtbot.waitUntil(lambda: not np.array_equal(grid(dialog), first))
    np.testing.assert_array_equal(grid(dialog)[:, 0], first[:, 0])
    dialog.seed = 1
    dialog.redraw()
    np.testing.assert_array_equal(grid(dialog), first)


def test_a_slider_changes_digits_and_recipe_at_once(
    qtbot: QtBot, form: SettingsForm, dialog: AugmentationDialog
) -> None:
    """A slider updates the number and the digits, and the form shows custom amounts."""
    before = grid(dialog).copy()
    slider = find(dialog, QSlider, "shift_px_slider")
    slider.setValue(slider.maximum())
    assert find(dialog, QDoubleSpinBox, "shift_px_number").value() == 6
    assert amounts(form) == AugmentationSettings(**SOME, shift_px=6)
    assert find(form, QComboBox, "augmentation").currentText() == "Custom"
    qtbot.waitUntil(lambda: not np.array_equal(grid(dialog), before))


@pytest.mark.parametrize("spec", dataclasses.fields(AugmentationSettings), ids=lambda spec: spec.name)
def test_amounts_beyond_the_slider_can_be_typed(
    form: SettingsForm, dialog: AugmentationDialog, spec: "dataclasses.Field[float]"
) -> None:
    """Any amount that a recipe allows can be typed; beyond the range of the slider, the slider stays at its end."""
    number = find(dialog, QDoubleSpinBox, f"{spec.name}_number")
    number.setValue(1e9)
    assert getattr(amounts(form), spec.name) == spec.metadata["high"]
    slider = find(dialog, QSlider, f"{spec.name}_slider")
    assert slider.value() == slider.maximum()
    number.setValue(-1)
    assert getattr(amounts(form), spec.name) == spec.metadata["low"]


def test_other_amounts_are_not_rounded(form: SettingsForm) -> None:
    """Changing one amount does not round another that has more digits than its field shows."""
    form.set_recipe(Recipe(augmentation=AugmentationSettings(scale=1 / 3)))
    find(form, QPushButton, "preview_button").click()
    find(find(form, AugmentationDialog), QDoubleSpinBox, "noise_number").setValue(0.1)
    assert amounts(form) == AugmentationSettings(scale=1 / 3, noise=0.1)


@pytest.mark.parametrize("text", ["1,5", "1.5", "1.50"])
def test_decimal_comma_is_accepted(qtbot: QtBot, form: SettingsForm, dialog: AugmentationDialog, text: str) -> None:
    """A comma is read as a decimal point and then shown as a point."""
    number = find(dialog, QDoubleSpinBox, "shift_px_number")
    number.selectAll()
    qtbot.keyClicks(number, text)
    assert number.value() == 1.5
    qtbot.keyClick(number, Qt.Key.Key_Return)
    assert number.text() == "1.5 px"
    assert amounts(form).shift_px == 1.5


def test_enter_does_not_change_an_amount(qtbot: QtBot, form: SettingsForm) -> None:
    """Enter in a number field does not change the amount."""
    part = AugmentationSettings(rotate_deg=12.345678, scale=1 / 3)
    form.set_recipe(Recipe(augmentation=part))
    find(form, QPushButton, "preview_button").click()
    for key, text in (("rotate_deg", "12.345678°"), ("scale", "0.333333"), ("noise", "0")):
        number = find(find(form, AugmentationDialog), QDoubleSpinBox, f"{key}_number")
        assert number.text() == text
        qtbot.keyClick(number, Qt.Key.Key_Return)
    assert amounts(form) == part


def test_reset_restores_the_amounts(form: SettingsForm, dialog: AugmentationDialog) -> None:
    """Reset restores the amounts at opening, or those of the set selected since."""
    reset = find(dialog, QPushButton, "reset_button")
    assert not reset.isEnabled()
    find(dialog, QDoubleSpinBox, "noise_number").setValue(0.3)
    reset.click()
    assert amounts(form) == AugmentationSettings(**SOME)
    box = find(form, QComboBox, "augmentation")
    box.setCurrentText("Handwriting and pens")
    assert find(dialog, QDoubleSpinBox, "thickness_px_number").value() == 1
    find(dialog, QDoubleSpinBox, "noise_number").setValue(0.3)
    assert box.currentText() == "Custom"
    reset.click()
    assert box.currentText() == "Handwriting and pens"
    assert amounts(form) == AUGMENTATIONS["Handwriting and pens"]


def test_typing_the_amounts_of_a_set_selects_it(form: SettingsForm, dialog: AugmentationDialog) -> None:
    """Typed amounts of a named set select that set."""
    for key, amount in dataclasses.asdict(AUGMENTATIONS["Slight"]).items():
        find(dialog, QDoubleSpinBox, f"{key}_number").setValue(amount)
    assert find(form, QComboBox, "augmentation").currentText() == "Slight"


def test_custom_amounts_can_be_selected_again(form: SettingsForm) -> None:
    """Custom amounts stay in the list after another set was selected."""
    box = find(form, QComboBox, "augmentation")
    box.setCurrentText("None")
    box.setCurrentText("Custom")
    assert amounts(form) == AugmentationSettings(**SOME)


def test_preview_can_be_used_by_keyboard(qtbot: QtBot, form: SettingsForm) -> None:
    """Alt+P opens the preview, arrows change an amount and Escape closes it; it is not modal."""
    qtbot.keyClick(form.window(), Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: form.findChild(AugmentationDialog) is not None)
    dialog = find(form, AugmentationDialog)
    assert dialog.isVisible()
    assert not dialog.isModal()
    slider = find(dialog, QSlider, "rotate_deg_slider")
    qtbot.waitUntil(slider.hasFocus)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert amounts(form).rotate_deg == 13
    qtbot.keyClick(slider, Qt.Key.Key_Tab)
    qtbot.keyClick(slider, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert amounts(form).rotate_deg == 13


def test_amounts_are_disabled_during_training(form: SettingsForm, dialog: AugmentationDialog) -> None:
    """Amounts are disabled while training runs; Draw again stays enabled."""
    form.set_editable(False)
    assert not find(dialog, QSlider, "rotate_deg_slider").isEnabled()
    assert find(dialog, QPushButton, "draw_again_button").isEnabled()
    form.set_editable(True)
    assert find(dialog, QSlider, "rotate_deg_slider").isEnabled()


def test_preview_closes_with_the_window(window: Window, dialog: AugmentationDialog) -> None:
    """The preview closes with the window."""
    assert window.page(TrainTab).state is TrainingState.IDLE
    window.close()
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]


def test_preview_has_the_colours_of_the_theme(window: Window, dialog: AugmentationDialog) -> None:
    """Digits have the colours of the pad in both themes."""
    for mode, tokens in ((Mode.LIGHT, LIGHT), (Mode.DARK, DARK)):
        window.session.set_theme(mode)
        colour = find(dialog, DigitGrid).grab().toImage().pixelColor(20, 4)
        assert colour.name() == tokens.pad
    window.session.set_theme(Mode.SYSTEM)


def test_missing_digits_are_reported(form: SettingsForm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """If the digits are missing, the grid shows an error with the folder."""
    one_of_each.cache_clear()
    monkeypatch.setattr(assets, "DATA", tmp_path)
    find(form, QPushButton, "preview_button").click()
    assert str(tmp_path) in find(find(form, AugmentationDialog), DigitGrid).problem


def test_amounts_are_described() -> None:
    """Only amounts above 0 are described, with their units."""
    assert describe_amounts(dataclasses.asdict(AugmentationSettings())) == "nothing"
    part = AugmentationSettings(rotate_deg=12, shift_px=1.5, noise=0.1)
    assert describe_amounts(dataclasses.asdict(part)) == "rotate 12 deg, shift 1.5 px, noise 0.1"
