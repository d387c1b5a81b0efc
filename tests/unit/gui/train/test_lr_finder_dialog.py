import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from digitpad.datasets.dataset import mnist
from digitpad.gui.shell.window import Window
from digitpad.gui.train.lr_finder_dialog import LearningRateDialog
from digitpad.gui.train.train_tab import TrainTab
from digitpad.training.recipe import Recipe
from digitpad.training.recipe_library import Recipes
from tests.unit.datasets.idx_files import write_folder
from tests.unit.gui.hand import find, menu_action

TRYING_MS = 60_000


@pytest.fixture
def open_dialog(window: Window, recipes: Recipes, tmp_path: Path) -> Callable[[], LearningRateDialog]:
    folder = write_folder(tmp_path / "small", mnist().training[:2000], mnist().test[:200])
    settings = {"network.hidden": [32], "data.set": str(folder)}
    window.page(TrainTab).form.set_recipe(recipes.shipped["quick"].with_values(settings))

    def opened() -> LearningRateDialog:
        menu_action(window, "Find a learning rate").trigger()
        return find(window, LearningRateDialog, "rate_dialog")

    return opened


def test_button_applies_the_suggested_rate(
    qtbot: QtBot, window: Window, open_dialog: Callable[[], LearningRateDialog]
) -> None:
    """The button names the suggested rate and sets it in the form."""
    dialog = open_dialog()
    use = find(dialog, QPushButton, "use_rate")
    qtbot.waitUntil(use.isEnabled, timeout=TRYING_MS)
    rate = float(use.text().removeprefix("Use "))
    assert f"fastest at {rate:g}" in find(dialog, QLabel, "rate_suggestion").text()
    dialog.grab()
    use.click()
    assert float(find(window, QLineEdit, "learning_rate").text()) == rate


def test_closing_ends_the_search(qtbot: QtBot, window: Window, open_dialog: Callable[[], LearningRateDialog]) -> None:
    """Closing the dialog ends its thread and leaves the form unchanged."""
    before = window.page(TrainTab).form.recipe()
    dialog = open_dialog()
    with qtbot.waitSignal(dialog.finished):
        dialog.reject()
    assert window.page(TrainTab).form.recipe() == before


def test_closing_ends_the_generation_of_drawings(
    qtbot: QtBot, window: Window, recipes: Recipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialog shows progress; closing it does not wait for drawings that are not generated yet."""
    generated: list[int] = []

    def endless(recipe: Recipe, tell: Callable[[int], None]) -> None:
        for n in count(10, 10):
            generated.append(n)
            tell(n)

    monkeypatch.setattr("digitpad.gui.train.lr_finder_dialog.load_training_data", endless)
    window.page(TrainTab).form.set_recipe(recipes.shipped["digits"])
    menu_action(window, "Find a learning rate").trigger()
    dialog = find(window, LearningRateDialog, "rate_dialog")
    message = find(dialog, QLabel, "rate_suggestion")
    qtbot.waitUntil(lambda: message.text().startswith("Generating "))
    with qtbot.waitSignal(dialog.finished):
        dialog.reject()
    n = len(generated)
    assert not [thread for thread in threading.enumerate() if thread.name == "rates"]
    assert len(generated) == n
