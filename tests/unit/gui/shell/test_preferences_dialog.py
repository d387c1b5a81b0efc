from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QSlider
from pytestqt.qtbot import QtBot

from digitpad.gui.draw.draw_tab import DrawTab
from digitpad.gui.shell.preferences_dialog import PreferencesDialog
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.text_size import BODY_PX
from digitpad.gui.widgets.theme import Mode
from digitpad.runs.run import runs_folder
from digitpad.system import user_folders
from tests.unit.gui.hand import find, menu_action


@pytest.fixture
def dialog(window: Window) -> PreferencesDialog:
    menu_action(window, "Preferences").trigger()
    return find(window, PreferencesDialog)


def text_px() -> int:
    return QApplication.font().pixelSize()


def test_text_grows_and_shrinks(qtbot: QtBot, window: Window, dialog: PreferencesDialog) -> None:
    """The slider, the menu and their keys set the text size of the whole window, and it is kept."""
    clear = find(window.page(DrawTab), QLabel, "reading_time")
    before = clear.fontMetrics().height()
    find(dialog, QSlider, "text_size").setValue(15)
    assert text_px() == round(BODY_PX * 1.5)
    assert clear.fontMetrics().height() > 1.3 * before
    assert window.session.preferences.text_size == 150
    menu_action(window, "Larger").trigger()
    assert window.session.theme.text_size == 160
    assert find(dialog, QLabel, "text_size_label").text().startswith("160")
    menu_action(window, "Normal").trigger()
    assert text_px() == BODY_PX
    for _ in range(5):
        menu_action(window, "Smaller").trigger()
    assert window.session.theme.text_size == 90
    menu_action(window, "Normal").trigger()


def test_theme_is_the_same_in_menu_and_dialog(window: Window, dialog: PreferencesDialog) -> None:
    """A theme chosen in one place is shown in the other."""
    theme = find(dialog, QComboBox, "theme_choice")
    theme.setCurrentIndex(theme.findData(Mode.DARK))
    theme.activated.emit(theme.currentIndex())
    assert window.session.theme.mode is Mode.DARK
    assert menu_action(window, "Dark").isChecked()
    menu_action(window, "Follow system").trigger()
    assert theme.currentData() == Mode.SYSTEM


def test_touch_drawing_can_be_switched_off(window: Window, dialog: PreferencesDialog) -> None:
    """The switch immediately changes whether touch draws on the pad."""
    pad = window.page(DrawTab).pad
    assert pad.draws_with_fingers
    find(dialog, QCheckBox, "finger_drawing").click()
    assert not pad.draws_with_fingers
    assert not window.session.preferences.draws_with_fingers


def test_runs_are_kept_in_the_chosen_folder(window: Window, dialog: PreferencesDialog, tmp_path: Path) -> None:
    """Window and command line use the chosen runs folder; a folder that can't be created is refused with the reason."""
    field, problem = find(dialog, QLineEdit, "runs_folder"), find(dialog, QLabel, "runs_folder_problem")
    field.setText(str(tmp_path / "my runs"))
    field.editingFinished.emit()
    assert runs_folder() == tmp_path / "my runs"
    assert problem.text() == ""
    (tmp_path / "file").write_text("")
    field.setText(str(tmp_path / "file" / "runs"))
    field.editingFinished.emit()
    assert "choose another folder" in problem.text()
    assert runs_folder() == tmp_path / "my runs"
    field.setText("")
    field.editingFinished.emit()
    assert runs_folder() == user_folders.usual_runs_path()


def test_every_field_has_a_name(dialog: PreferencesDialog) -> None:
    """Every field has an accessible name."""
    for widget in (*dialog.findChildren(QComboBox), *dialog.findChildren(QSlider), *dialog.findChildren(QLineEdit)):
        assert widget.accessibleName()
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
