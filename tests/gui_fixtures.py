"""A window for each test, closed and gone after it."""

import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from digitpad.gui.preferences import Preferences
from digitpad.gui.session import Session
from digitpad.gui.shell.window import Window
from digitpad.gui.tasks.garbage_collection import GuiThreadCollector
from digitpad.gui.widgets.accessibility import install_accessible_roles
from digitpad.gui.widgets.theme import Theme
from digitpad.training.recipe_library import Recipes, all_recipes
from digitpad.weights.native_format import SHIPPED, Weights, load_weights

PATIENT_MS = 60_000
"""What is waited for comes at once on a quiet machine; on a busy one a test shall not fail for its slowness."""


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application, which collects garbage in the GUI thread only, as the program does."""
    GuiThreadCollector(qapp)
    install_accessible_roles()
    gc.freeze()  # imported modules are never garbage; without them a collection after each window is quick
    return qapp


@pytest.fixture
def qtbot(qtbot: QtBot) -> Iterator[QtBot]:
    """pytest-qt's, that waits longer unless it is told how long."""
    kept: list[object] = []  # what a thread has told is delivered to who waited for it, be that over and freed or not

    def patient(wait: Callable[..., object], *arguments: object, **options: object) -> object:
        kept.append(wait(*arguments, **{"timeout": PATIENT_MS, **options}))
        return kept[-1]

    for name in ("waitUntil", "waitSignal", "waitSignals"):
        setattr(qtbot, name, partial(patient, getattr(qtbot, name)))
    yield qtbot
    QApplication.sendPostedEvents()
    kept.clear()


@pytest.fixture(scope="session")
def shipped() -> Weights:
    """The weights that the program starts with."""
    return load_weights(SHIPPED)


@pytest.fixture(scope="session")
def recipes() -> Recipes:
    """The shipped recipes, and none of a user's."""
    return Recipes(all_recipes().shipped)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """A theme that follows the system; with it go all that follow it."""
    theme = Theme(qapp)
    yield theme
    theme.deleteLater()
    QApplication.sendPostedEvents(theme, QEvent.Type.DeferredDelete.value)


def preferences_in(folder: Path) -> Preferences:
    """Return preferences of their own, kept in a folder."""
    return Preferences(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> Iterator[Window]:
    """The window, shown, with settings of its own."""
    window = Window(Session(theme, shipped, preferences_in(tmp_path)))
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.finish_work()
    window.session.set_trained(None, None)  # else closing would ask whether the network may be lost
    window.session.network_path = SHIPPED  # and an edited network too
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()], "a window was left open"
    del window
    gc.collect()  # else windows pile up, and every change of the theme restyles them all
