"""Fixtures for GUI tests: the application, its main window, themes and preferences."""

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
"""Timeout of waits in ms: long, so that a slow machine does not fail a test."""


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """Return the application, which collects garbage in the GUI thread only, as the program does."""
    GuiThreadCollector(qapp)
    install_accessible_roles()
    gc.freeze()  # exclude imported modules, which are never garbage, to keep the collection after each window fast
    return qapp


@pytest.fixture
def qtbot(qtbot: QtBot) -> Iterator[QtBot]:
    """Use a longer default timeout for pytest-qt's waits."""
    kept: list[object] = []  # keep each wait's result until the last queued signal is delivered to it

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
    """Return the built-in network."""
    return load_weights(SHIPPED)


@pytest.fixture(scope="session")
def recipes() -> Recipes:
    """Return the built-in recipes, without the user's own."""
    return Recipes(all_recipes().shipped)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """Yield a theme that follows the system; after the test restore the text size, and delete the theme."""
    theme = Theme(qapp)
    yield theme
    theme.set_text_size(100)  # the next theme would take a larger one for the system's
    theme.deleteLater()
    QApplication.sendPostedEvents(theme, QEvent.Type.DeferredDelete.value)


def preferences_in(folder: Path) -> Preferences:
    """Return separate preferences, stored in a folder."""
    return Preferences(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> Iterator[Window]:
    """Yield the visible main window with separate settings."""
    window = Window(Session(theme, shipped, preferences_in(tmp_path)))
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.finish_work()
    # Closing asks no question, also if a failed test leaves a training or an edited network behind.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("digitpad.gui.shell.window.confirm", lambda *_: True)
        window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()], "a window was left open"
    del window
    gc.collect()  # otherwise windows accumulate, and each theme change restyles all of them
