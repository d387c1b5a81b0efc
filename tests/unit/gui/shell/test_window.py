import dataclasses
from pathlib import Path

from PySide6.QtWidgets import QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from digitpad.gui.session import Session
from digitpad.gui.shell.window import Window
from digitpad.gui.train.train_tab import TrainTab
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe import Recipe
from digitpad.weights.native_format import Weights, load_weights
from tests.gui_fixtures import preferences_in
from tests.unit.gui.hand import find


def test_last_session_is_restored(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """Tab, network, recipe and dataset of the last session are restored, unless the preference is off."""
    preferences = preferences_in(tmp_path)
    path = tmp_path / "mine.npz"
    shipped.save(path)
    first = Window(Session(theme, shipped, preferences))
    first.session.use_network(load_weights(path), path)
    first.page(TrainTab).form.set_recipe(Recipe().with_values({"training.epochs": 7}))
    first.show_page(2)
    first.close()
    second = Window(Session(theme, shipped, preferences))
    qtbot.addWidget(second)
    second.show()
    qtbot.waitUntil(lambda: second.page_index == 2)
    recipe = second.page(TrainTab).form.recipe()
    assert recipe is not None
    assert recipe.training.epochs == 7
    assert preferences.first_network == path
    preferences.restores_session = False
    assert preferences.first_network is None
    second.close()


def test_small_window_scrolls_the_page(qtbot: QtBot, window: Window) -> None:
    """Tabs and status bar stay visible in a window smaller than the page."""
    window.resize(600, 400)
    qtbot.waitUntil(lambda: window.width() == 600)
    scroll = find(window, QScrollArea, "page_scroll")
    assert scroll.horizontalScrollBar().maximum() > 0
    assert scroll.verticalScrollBar().maximum() > 0
    for name in ("tabs", "status"):
        bar = find(window, QWidget, name)
        assert window.rect().contains(bar.mapTo(window, bar.rect().bottomRight()))


def test_the_title_names_the_network(window: Window, shipped: Weights) -> None:
    """The title bar follows the network in use."""
    window.session.use_network(dataclasses.replace(shipped, name="mine.npz"))
    assert window.windowTitle() == "mine.npz – digitpad"
