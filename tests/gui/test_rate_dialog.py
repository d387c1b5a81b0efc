from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.rate_dialog import RateDialog
from digitpad.gui.window import Window
from digitpad.training.recipes import Recipes
from tests.datasets.idx_files import write_folder
from tests.gui.hand import find

TRYING_MS = 60_000


@pytest.fixture
def open_dialog(window: Window, recipes: Recipes, tmp_path: Path) -> Callable[[], RateDialog]:
    folder = write_folder(tmp_path / "small", mnist().training[:2000], mnist().test[:200])
    settings = {"network.hidden": [32], "data.set": str(folder)}
    window.train_tab.form.set_recipe(recipes.shipped["quick"].with_values(settings))

    def opened() -> RateDialog:
        window._menus._find_rate()
        return find(window, RateDialog, "rate_dialog")

    return opened


def test_suggested_rate_is_used(qtbot: QtBot, window: Window, open_dialog: Callable[[], RateDialog]) -> None:
    """It stands on the button, and then in the form."""
    dialog = open_dialog()
    use = find(dialog, QPushButton, "use_rate")
    qtbot.waitUntil(use.isEnabled, timeout=TRYING_MS)
    rate = float(use.text().removeprefix("Use "))
    assert f"most steeply at {rate:g}" in find(dialog, QLabel, "rate_suggestion").text()
    dialog.grab()
    use.click()
    assert float(find(window, QLineEdit, "learning_rate").text()) == rate


def test_closed_in_the_midst_it_ends(qtbot: QtBot, window: Window, open_dialog: Callable[[], RateDialog]) -> None:
    """Its thread is over by then, and the form is as it was."""
    before = window.train_tab.form.recipe()
    dialog = open_dialog()
    with qtbot.waitSignal(dialog.finished):
        dialog.reject()
    assert window.train_tab.form.recipe() == before
