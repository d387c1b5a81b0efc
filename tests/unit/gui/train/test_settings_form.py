import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
)
from pytestqt.qtbot import QtBot

from digitpad.gui.shell.window import Window
from digitpad.gui.train.augmentation_dialog import AugmentationDialog
from digitpad.gui.train.recipe_dialog import RecipeDialog
from digitpad.gui.train.settings_fields import FIELDS
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.form_widgets import TextField
from digitpad.gui.widgets.term_button import TermButton
from digitpad.number_format import format_number
from digitpad.training.recipe import OPTIMIZERS, SCHEDULES, Recipe
from digitpad.training.recipe_library import Recipes
from digitpad.training.recipe_results import recipe_results
from tests.unit.gui.geometry import assert_text_fits
from tests.unit.gui.hand import TRAIN, find

# Each override is combined with the defaults of the others, so that every setting has an effect in at least one case.
CHOICES: list[dict[str, Any]] = [
    {"network.hidden": ("5x5x8", "pool", 32), "network.activation": "leaky_relu"},
    *({"optimizer.method": method} for method in OPTIMIZERS),
    *({"optimizer.schedule": schedule} for schedule in SCHEDULES),
]


@pytest.fixture
def form(window: Window) -> SettingsForm:
    """Return the visible form with its basic fields."""
    window.show_page(TRAIN)
    return window.page(TrainTab).form


def type_into(form: SettingsForm, name: str, text: str) -> None:
    edit = find(form, QLineEdit, name)
    edit.setText(text)
    edit.textEdited.emit(text)


def more(form: SettingsForm) -> str:
    return find(form, QPushButton, "more_settings").accessibleName()


def leaves(part: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of all settings."""
    for spec in dataclasses.fields(part):
        value = getattr(part, spec.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{prefix}{spec.name}.")
        else:
            yield f"{prefix}{spec.name}"


def test_every_setting_can_be_edited(form: SettingsForm) -> None:
    """Every setting can be edited in the form, in the augmentation preview or in the save dialog."""
    form.show_more(True)
    reached = set()
    for choice in CHOICES:
        form.set_recipe(Recipe().with_values(choice))
        reached |= set(form.keys)
    find(form, QPushButton, "preview_button").click()
    amounts = find(form, AugmentationDialog).findChildren(QDoubleSpinBox)
    reached |= {f"augmentation.{number.objectName().removesuffix('_number')}" for number in amounts}
    form.save_requested.emit()
    dialog = find(form.window(), RecipeDialog)
    reached |= {
        edit.objectName().removeprefix("recipe_")
        for edit in dialog.findChildren(QLineEdit)
        if edit.objectName().startswith("recipe_")
    }
    dialog.close()
    find(form, AugmentationDialog).close()
    no_settings = {"search"}  # search ranges are not settings of training
    assert reached - {"augmentation"} == set(leaves(Recipe())) - no_settings


def test_every_value_of_a_setting_is_listed(form: SettingsForm) -> None:
    """Every list offers exactly the values that a recipe allows."""
    values = {key: row.editor for key, row in form.rows.items()}
    for part in dataclasses.fields(Recipe):
        if not dataclasses.is_dataclass(part.default):
            continue
        for spec in dataclasses.fields(part.default):
            if "choices" in spec.metadata:
                box = values[f"{part.name}.{spec.name}"]
                assert isinstance(box, QComboBox)
                assert {box.itemData(place) for place in range(box.count())} == set(spec.metadata["choices"])


def test_every_field_has_a_tooltip() -> None:
    """Every tooltip is a sentence and gives a usual value for numbers under More settings."""
    for field in (field for fields in FIELDS.values() for field in fields):
        assert field.tip.endswith("."), field.key
        if field.more and isinstance(field.editor(), TextField):
            assert "usual" in field.tip, field.key


@pytest.mark.parametrize(
    ("key", "choice", "without"),
    [
        ("network.alpha", {"network.activation": "leaky_relu"}, {"network.activation": "relu"}),
        ("network.padding", {"network.hidden": ("3x3x8",)}, {"network.hidden": (64, 32)}),
        ("optimizer.momentum", {"optimizer.method": "nesterov"}, {"optimizer.method": "adam"}),
        ("optimizer.momentum", {"optimizer.method": "momentum"}, {"optimizer.method": "sgd"}),
        ("optimizer.weight_decay", {"optimizer.method": "adamw"}, {"optimizer.method": "adam"}),
        ("optimizer.decay", {"optimizer.schedule": "inverse_time"}, {"optimizer.schedule": "cosine"}),
        ("optimizer.decay", {"optimizer.schedule": "exponential"}, {"optimizer.schedule": "step"}),
        ("optimizer.step_epochs", {"optimizer.schedule": "step"}, {"optimizer.schedule": "constant"}),
        ("optimizer.step_factor", {"optimizer.schedule": "step"}, {"optimizer.schedule": "one_cycle"}),
    ],
)
def test_inapplicable_settings_are_hidden(
    form: SettingsForm, key: str, choice: dict[str, Any], without: dict[str, Any]
) -> None:
    """Under More settings, a setting is shown only with the choice that it belongs to."""
    form.set_recipe(Recipe().with_values(choice))
    assert key not in form.keys
    form.show_more(True)
    assert key in form.keys
    form.set_recipe(Recipe().with_values(without))
    assert key not in form.keys


def test_choice_shows_its_settings_at_once(form: SettingsForm) -> None:
    """A choice shows its settings at once, and errors in the settings that it hides do not block training."""
    form.set_recipe(Recipe())
    form.show_more(True)
    method = find(form, QComboBox, "method")
    method.setCurrentIndex(method.findData("momentum"))
    momentum = find(form, QLineEdit, "momentum")
    assert momentum.isVisible()
    type_into(form, "momentum", "1.5")
    assert form.recipe() is None
    method.setCurrentIndex(method.findData("adam"))
    assert not momentum.isVisible()
    assert form.recipe() is not None
    type_into(form, "hidden", "5x5x8, pool")
    assert find(form, QComboBox, "padding").isVisible()
    type_into(form, "hidden", "5x5x8, nonsense")
    assert find(form, QComboBox, "padding").isVisible(), "a field jumps while another one is typed"


def test_hidden_setting_keeps_its_value(form: SettingsForm) -> None:
    """A hidden momentum keeps its value, and is shown again with its optimizer."""
    form.set_recipe(Recipe().with_values({"optimizer.momentum": 0.5}))
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.optimizer.momentum == 0.5
    form.show_more(True)
    method = find(form, QComboBox, "method")
    method.setCurrentIndex(method.findData("momentum"))
    assert find(form, QLineEdit, "momentum").text() == "0.5"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("label_smoothing", "1", "Enter 0 to 0.9"),
        ("l2", "-1", "Enter 0 to 1"),
        ("warmup_epochs", "soon", "is not a number"),
        ("clip_norm", "", "is not a number"),
        ("patience", "1.5", "is not a whole number"),
        ("average", "1", "Enter 0 to 0.99999"),
    ],
)
def test_errors_under_more_settings_are_shown(
    qtbot: QtBot, form: SettingsForm, name: str, text: str, problem: str
) -> None:
    """Errors are shown under the field and on the closed button; Train opens the section and focuses the field."""
    form.show_more(True)
    type_into(form, name, text)
    assert problem in find(form, QLabel, f"{name}_error").text()
    form.show_more(False)
    assert more(form) == "More settings · 1 invalid"
    find(form.window(), QPushButton, "train_button").click()
    field = find(form, QLineEdit, name)
    qtbot.waitUntil(field.hasFocus)
    assert field.isVisible()
    assert not field.visibleRegion().isEmpty(), "it is scrolled out of sight"


def test_conflicting_settings_are_reported(form: SettingsForm) -> None:
    """Settings that conflict show an error; settings that are valid only together are accepted."""
    form.set_recipe(Recipe())
    form.show_more(True)
    padding = find(form, QComboBox, "padding")
    layers = ", ".join(["5x5x2"] * 8)
    type_into(form, "hidden", layers)
    assert find(form, QLabel, "hidden_error").text()
    padding.setCurrentIndex(padding.findData("same"))
    assert not find(form, QLabel, "hidden_error").text()
    recipe = form.recipe()
    assert recipe is not None
    form.set_recipe(recipe)
    padding.setCurrentIndex(padding.findData("valid"))
    assert find(form, QLabel, "hidden_error").text()
    assert form.recipe() is None


@pytest.mark.parametrize(
    ("name", "text"), [("hidden", "abc"), ("learning_rate", "1,234"), ("epochs", "many"), ("seed", "-1")]
)
def test_errors_are_not_cut_off(window: Window, form: SettingsForm, name: str, text: str) -> None:
    """An error is not cut off even in the smallest window, and its line is reserved while there is none."""
    window.resize(window.minimumSize())
    error = find(form, QLabel, f"{name}_error")
    before = error.height()
    type_into(form, name, text)
    QApplication.processEvents()
    assert error.text()
    assert_text_fits(error)
    type_into(form, name, "5")
    QApplication.processEvents()
    assert error.height() == before == error.fontMetrics().height()


def test_all_errors_are_shown_at_once(form: SettingsForm) -> None:
    """All invalid fields show their errors at once."""
    form.show_more(True)
    for name in ("hidden", "l1", "l2", "epochs"):
        type_into(form, name, "-1")
    for name in ("hidden", "l1", "l2", "epochs"):
        assert find(form, QLabel, f"{name}_error").text(), name


def test_button_counts_hidden_settings(form: SettingsForm, recipes: Recipes) -> None:
    """The button counts hidden settings that differ from their defaults and have an effect."""
    form.set_recipe(Recipe())
    assert more(form) == "More settings"
    form.set_recipe(Recipe().with_values({"optimizer.momentum": 0.5}))
    assert more(form) == "More settings"
    form.set_recipe(recipes.shipped["leaky-500-300-100"])
    assert more(form) == "More settings · 2 changed"
    form.show_more(True)
    find(form, QCheckBox, "batch_norm").click()
    assert more(form) == "More settings · 3 changed"


def test_batch_norm_is_ticked_by_key(qtbot: QtBot, form: SettingsForm) -> None:
    """Space ticks the box."""
    form.show_more(True)
    check = find(form, QCheckBox, "batch_norm")
    check.setFocus()
    qtbot.keyClick(check, Qt.Key.Key_Space)
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.network.batch_norm


def test_more_settings_opens_by_key(qtbot: QtBot, form: SettingsForm) -> None:
    """Space on the button or Alt+O opens and closes More settings."""
    assert not find(form, QLineEdit, "l2").isVisible()
    button = find(form, QPushButton, "more_settings")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert find(form, QLineEdit, "l2").isVisible()
    qtbot.keyClick(form.window(), Qt.Key.Key_O, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: not find(form, QLineEdit, "l2").isVisible())


def test_tab_goes_through_the_fields_in_reading_order(qtbot: QtBot, form: SettingsForm) -> None:
    """Tab moves from the recipe to More settings and skips hidden fields."""
    form.set_recipe(Recipe().with_values({"optimizer.schedule": "step"}))
    form.show_more(True)
    find(form, QComboBox, "preset").setFocus()
    visited = []
    while (widget := QApplication.focusWidget()) is not None and widget.objectName() != "more_settings":
        if not isinstance(widget, TermButton):  # the ⓘ of a field comes after it
            visited.append(widget.objectName())
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    fields = [field for fields in FIELDS.values() for field in fields if field.key in form.keys]
    names = [field.name for field in fields]
    names.insert(names.index("data_set"), "show_data_button")  # it is above the other fields
    names.insert(names.index("learning_rate") + 1, "find_rate_button")
    assert visited == ["preset", "save_recipe_button", *names, "preview_button"]


def test_recipes_are_listed_with_accuracy_and_time(form: SettingsForm) -> None:
    """Built-in recipes show their measured accuracy and time: "fast", which is selected at first, then the quickest."""
    preset = find(form, QComboBox, "preset")
    assert preset.itemText(0) == preset.currentText()
    assert preset.currentText().startswith("Fast · 98.")
    assert form.recipe_name == "fast"
    assert preset.itemText(1) == "Quick · 97.7\N{NO-BREAK SPACE}% · 2 s"
    texts = [preset.itemText(place) for place in range(preset.count())]
    assert "Digits · 99.5\N{NO-BREAK SPACE}% · 26 min" in texts
    preset.setCurrentIndex(preset.findData("leaky-500-300-100"))
    assert preset.currentText() in preset.toolTip()


def test_basic_form_fits_the_default_window_size(form: SettingsForm) -> None:
    """At 1120 × 800 the form does not scroll, and a scroll bar does not change the width of fields."""
    form.window().resize(1120, 800)
    QApplication.processEvents()
    bar, field = find(form, QScrollArea).verticalScrollBar(), find(form, QLineEdit, "hidden")
    assert bar.maximum() == 0
    width = field.width()
    form.show_more(True)
    QApplication.processEvents()
    assert bar.maximum() > 0
    assert field.width() == width


def test_the_wheel_changes_nothing_under_more_settings(form: SettingsForm) -> None:
    """The wheel does not change fields without the focus."""
    form.show_more(True)
    before = form.recipe()
    for widget in [*form.findChildren(QComboBox), *form.findChildren(QLineEdit), *form.findChildren(QCheckBox)]:
        widget.clearFocus()
        at = QPointF(5, 5)
        event = QWheelEvent(
            at, widget.mapToGlobal(at), QPoint(0, -120), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)
    assert form.recipe() == before


@pytest.mark.parametrize(
    "text", ["25000", "25 000", "25\N{NO-BREAK SPACE}000", "25\N{THIN SPACE}000", "25,000", " 25 000 "]
)
def test_thousands_separators_are_accepted(form: SettingsForm, text: str) -> None:
    """Numbers may have thousands separators."""
    form.show_more(True)
    type_into(form, "pen_digits", text)
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.data.pen_digits == 25000


@pytest.mark.parametrize(("text", "number"), [("0,001", 0.001), ("0.001", 0.001), ("0,5", 0.5), ("1e-3", 0.001)])
def test_decimal_comma_is_accepted(form: SettingsForm, text: str, number: float) -> None:
    """A comma is accepted if it can only be a decimal comma."""
    type_into(form, "learning_rate", text)
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.optimizer.learning_rate == number


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("clip_norm", "1,000", "“1,000” is ambiguous; write a point or no comma"),
        ("clip_norm", "1_0", "is not a number"),
        ("patience", "1_0", "is not a whole number"),
        ("patience", "1,5", "is not a whole number"),
        ("patience", "2 5", "is not a whole number"),
        ("pen_digits", "25 00", "is not a whole number"),
        ("pen_digits", "1 000,000", "is not a whole number"),
    ],
)
def test_ambiguous_numbers_are_rejected(form: SettingsForm, name: str, text: str, problem: str) -> None:
    """Ambiguous numbers are rejected."""
    form.show_more(True)
    type_into(form, name, text)
    assert problem in find(form, QLabel, f"{name}_error").text()


@pytest.mark.parametrize("number", [0.1, 0.0031622776601683795, 1e-7, 1 / 3, 2.0])
def test_learning_rate_is_not_rounded(form: SettingsForm, number: float) -> None:
    """A learning rate that goes through the form is not rounded."""
    assert float(format_number(number)) == number
    recipe = Recipe().with_values({"optimizer.learning_rate": number})
    form.set_recipe(recipe)
    recipe_of_form = form.recipe()
    assert recipe_of_form is not None
    assert recipe_of_form.optimizer == recipe.optimizer


def test_search_ranges_are_kept_if_they_still_fit(form: SettingsForm, recipes: Recipes) -> None:
    """Search ranges are kept when settings are edited, and dropped if they no longer fit."""
    form.set_recipe(recipes.shipped["quick"])
    type_into(form, "epochs", "3")
    recipe = form.recipe()
    assert recipe is not None
    assert recipe.search == recipes.shipped["quick"].search
    only_small = Recipe().with_values({"network.hidden": ("5x5x8", 8)})
    form.set_recipe(dataclasses.replace(only_small, search={"network.hidden": '["27x27x1", 8]|["5x5x8", 8]'}))
    type_into(form, "hidden", "5x5x8, 8")
    form.show_more(True)
    assert form.recipe() is not None


def test_user_recipes_are_listed_after_a_separator(form: SettingsForm, recipes: Recipes) -> None:
    """The user's recipes are listed after the built-in ones and a separator, and replace those of the same name."""
    mine = Recipe("mine", "for me").with_values({"training.epochs": 3})
    quick = Recipe("quick", "quicker").with_values({"training.epochs": 1})
    form.set_recipes(Recipes(recipes.shipped, {"mine": mine, "quick": quick}))
    preset = find(form, QComboBox, "preset")
    items = [preset.itemData(place) or preset.itemText(place) for place in range(preset.count())]
    results = recipe_results()
    others = [name for name in recipes.shipped if name not in ("fast", "quick")]
    shipped = sorted(others, key=lambda name: results[name].seconds)
    assert items == ["fast", *shipped, "", "mine", "quick", "", "Custom"]
    preset.setCurrentText("mine")
    recipe_of_form = form.recipe()
    assert recipe_of_form == mine
    preset.setCurrentText("quick")
    recipe_of_form = form.recipe()
    assert recipe_of_form == quick
    assert preset.itemData(preset.findText("mine"), Qt.ItemDataRole.ToolTipRole) == "for me"
