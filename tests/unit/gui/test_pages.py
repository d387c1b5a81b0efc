from pathlib import Path

from PySide6.QtWidgets import QTabBar
from pytestqt.qtbot import QtBot

from digitpad.gui.pages import PAGES, Command, Page
from digitpad.gui.session import Session
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.theme import Theme
from digitpad.weights.native_format import Weights
from tests.gui_fixtures import preferences_in
from tests.unit.gui.hand import find, menu_action


class DummyTab(TabPage):
    """Tab that is not in `PAGES`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.calls: list[str] = []

    def greet(self) -> None:
        """Record the call."""
        self.calls.append("greet")

    def finish_work(self) -> str:
        self.calls.append("finish")
        return ""

    def shut_down(self) -> None:
        self.calls.append("shut down")
        super().shut_down()


def test_additional_page_has_a_tab_and_commands(qtbot: QtBot, theme: Theme, shipped: Weights, tmp_path: Path) -> None:
    """An added page has a tab and commands, is built when it is first shown, and is asked and shut down on closing."""
    page = Page("Dummy", f"{__name__}:DummyTab", (Command(lambda session: "&Greet", "greet", "Ctrl+G"),))
    session = Session(theme, shipped, preferences_in(tmp_path))
    window = Window(session, (*PAGES, page))
    qtbot.addWidget(window)
    window.show()
    assert find(window, QTabBar, "tab_bar").tabText(len(PAGES)) == "Dummy"
    assert window.findChild(TabPage, "dummy") is None
    menu_action(window, "Greet").trigger()
    tab = window.page(page.load())
    assert isinstance(tab, DummyTab)
    assert tab.isVisible()
    assert tab.session is session
    assert window.close()
    assert tab.calls == ["greet", "finish", "shut down"]


def test_every_page_loads() -> None:
    """Each page is a `TabPage` with the methods of its commands."""
    for page in PAGES:
        kind = page.load()
        assert issubclass(kind, TabPage)
        for command in page.commands:
            assert callable(getattr(kind, command.method))
