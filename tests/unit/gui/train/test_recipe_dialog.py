from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.gui.preferences import Preferences
from digitpad.gui.session import Session
from digitpad.gui.shell.window import Window
from digitpad.gui.train.recipe_dialog import RecipeDialog
from digitpad.gui.train.settings_form import SettingsForm
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import all_recipes, own_folder, path_for, save_recipe
from digitpad.weights.native_format import Weights
from tests.unit.gui.hand import TRAIN, find


@pytest.fixture
def form(window: Window) -> Iterator[SettingsForm]:
    """Return the form with custom settings."""
    window.show_page(TRAIN)
    form = window.page(TrainTab).form
    form.set_recipe(Recipe().with_values({"training.epochs": 3, "loss.l2": 0.001}))
    yield form
    for box in window.findChildren(QMessageBox, "problem"):
        box.close()


def ask(form: SettingsForm) -> RecipeDialog:
    find(form, QPushButton, "save_recipe_button").click()
    return find(form.window(), RecipeDialog)


def save(form: SettingsForm, name: str, description: str = "") -> None:
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText(name)
    find(dialog, QLineEdit, "recipe_description").setText(description)
    find(dialog, QPushButton, "recipe_save").click()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_saved_recipe_is_selected_at_once(form: SettingsForm) -> None:
    """Settings are saved with the entered name and description, and the form shows that recipe."""
    save(form, "mine", "for me")
    assert Recipe.load(path_for("mine")).loss.l2 == 0.001
    assert all_recipes().own["mine"].description == "for me"
    assert find(form, QComboBox, "preset").currentText() == "mine"
    assert form.recipe() == all_recipes().own["mine"]


def test_user_recipe_can_be_replaced(form: SettingsForm) -> None:
    """For a user's recipe, the dialog proposes its name, and its button says Replace."""
    save(form, "mine")
    dialog = ask(form)
    assert find(dialog, QLineEdit, "recipe_name").text() == "mine"
    assert find(dialog, QPushButton, "recipe_save").text() == "Replace"
    assert "will be replaced" in find(dialog, QLabel, "recipe_note").text()
    dialog.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    edit = find(form, QLineEdit, "epochs")
    edit.setText("4")
    edit.textEdited.emit("4")
    assert find(form, QComboBox, "preset").currentText() == "Custom"
    save(form, "mine")
    assert all_recipes().own["mine"].training.epochs == 4
    assert find(form, QComboBox, "preset").currentText() == "mine"


def test_recipe_saved_meanwhile_is_not_replaced(form: SettingsForm) -> None:
    """A recipe that was saved under this name in the meantime is not replaced, and an error says so."""
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText("mine")
    save_recipe(Recipe("mine"))
    find(dialog, QPushButton, "recipe_save").click()
    assert "already exists" in find(form.window(), QMessageBox, "problem").informativeText()
    assert all_recipes().own["mine"] == Recipe("mine")


def test_custom_settings_do_not_replace_a_recipe_named_own(form: SettingsForm) -> None:
    """For custom settings, the dialog does not propose to replace a recipe named “own”."""
    save(form, "own")
    edit = find(form, QLineEdit, "epochs")
    edit.setText("4")
    edit.textEdited.emit("4")
    dialog = ask(form)
    assert find(dialog, QLineEdit, "recipe_name").text() == "my recipe"
    assert find(dialog, QPushButton, "recipe_save").text() == "Save"
    dialog.reject()


def test_saving_under_a_listed_name_replaces_its_file(form: SettingsForm) -> None:
    """Saving under a listed name replaces the file of that recipe, even if the file has another name."""
    path = save_recipe(Recipe("mine")).rename(own_folder() / "zzz.toml")
    form.set_recipes(all_recipes())
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText("mine")
    assert find(dialog, QPushButton, "recipe_save").text() == "Replace"
    find(dialog, QPushButton, "recipe_save").click()
    assert list(own_folder().iterdir()) == [path]
    assert Recipe.load(path).loss.l2 == 0.001


def test_name_with_the_same_file_name_is_reported(form: SettingsForm) -> None:
    """The dialog warns if a recipe with another name has the same file name, such as “a/b” and “a-b”."""
    save(form, "a-b")
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText("a/b")
    assert find(dialog, QPushButton, "recipe_save").text() == "Replace"
    dialog.reject()


def test_name_of_a_built_in_recipe_is_reported(form: SettingsForm) -> None:
    """The dialog warns that the recipe will replace a built-in recipe."""
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText("quick")
    assert "replace the built-in recipe" in find(dialog, QLabel, "recipe_note").text()
    dialog.reject()


def test_name_is_required(form: SettingsForm) -> None:
    """A recipe whose name is only spaces can't be saved."""
    dialog = ask(form)
    find(dialog, QLineEdit, "recipe_name").setText("  ")
    assert not find(dialog, QPushButton, "recipe_save").isEnabled()
    dialog.reject()


def test_unwritable_folder_is_reported(form: SettingsForm) -> None:
    """The error names the file, and the form is unchanged."""
    own_folder().parent.mkdir(parents=True, exist_ok=True)
    own_folder().write_text("a file where the folder should be")
    before = form.recipe()
    save(form, "mine")
    box = find(form.window(), QMessageBox, "problem")
    assert box.text() == "The recipe was not saved"
    assert "recipes cannot be created" in box.informativeText()
    assert form.recipe() == before


def test_invalid_settings_are_not_saved(form: SettingsForm) -> None:
    """The first invalid field gets the focus, and no dialog opens."""
    edit = find(form, QLineEdit, "l1")
    edit.setText("-1")
    edit.textEdited.emit("-1")
    find(form, QPushButton, "save_recipe_button").click()
    assert form.window().findChild(RecipeDialog) is None
    assert edit.hasFocus()


def test_recipe_can_be_saved_by_keyboard(qtbot: QtBot, form: SettingsForm) -> None:
    """Alt+R, a name and Enter save a recipe."""
    qtbot.keyClick(form.window(), Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: form.window().findChild(RecipeDialog) is not None)
    dialog = find(form.window(), RecipeDialog)
    name = find(dialog, QLineEdit, "recipe_name")
    qtbot.keyClicks(name, "typed")
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert "typed" in all_recipes().own


def test_broken_recipe_is_reported_in_the_form(qtbot: QtBot, window: Window) -> None:
    """The form names a broken file, with the reason in the tooltip, also if training starts before the tab is shown.

    No message box opens, and the other recipes are listed.
    """
    save_recipe(Recipe("mine"))
    (own_folder() / "broken.toml").write_text("epochs = ")
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert window.session.training.is_busy
    form = window.page(TrainTab).form
    message = find(form, QLabel, "preset_error")
    assert message.text() == "broken.toml can't be used"
    assert "broken.toml is not TOML" in message.toolTip()
    assert window.findChild(QMessageBox) is None
    assert find(form, QComboBox, "preset").findText("mine") > 0
    (own_folder() / "nameless.toml").write_text('name = ""')
    form.set_recipes(all_recipes())
    assert message.text() == "2 of your recipes can't be used"
    assert "nameless.toml has an empty name" in message.toolTip()
    for name in ("broken.toml", "nameless.toml"):
        (own_folder() / name).unlink()
    form.set_recipes(all_recipes())
    assert message.text() == message.toolTip() == ""


def test_more_settings_stay_open_for_the_next_session(
    qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path
) -> None:
    """The next window restores whether More settings was open."""
    settings = QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat)
    for opened in (False, True):
        window = Window(Session(theme, shipped, Preferences(settings)))
        qtbot.addWidget(window)
        button = find(window.page(TrainTab), QPushButton, "more_settings")
        assert button.isChecked() is opened
        button.setChecked(True)
        window.close()
