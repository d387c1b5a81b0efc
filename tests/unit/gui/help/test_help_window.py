import re

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QTextBrowser
from pytestqt.qtbot import QtBot

from digitpad.gui.help.help_window import HelpWindow
from digitpad.gui.shell.window import Window
from digitpad.gui.widgets.theme import Mode
from digitpad.teaching.help_library import resolve
from tests.unit.gui.hand import find, menu_action


@pytest.fixture
def help_window(window: Window) -> HelpWindow:
    """The help, opened from the menu."""
    menu_action(window, "Help contents").trigger()
    return find(window, HelpWindow)


def links(browser: QTextBrowser) -> list[str]:
    """The targets of all links on the page, as the browser sees them."""
    return re.findall(r'href="([^"]+)"', browser.toHtml())


def test_every_page_opens_and_has_no_dead_link(help_window: HelpWindow) -> None:
    """Each page is shown under its title, and each link on it leads to a page."""
    n_links = 0
    for name, page in help_window.library.pages.items():
        help_window.show_page(name)
        assert help_window.page is page
        assert help_window.browser.toPlainText().startswith(page.title)
        targets = {resolve(name, link) for link in links(help_window.browser)}
        assert targets <= help_window.library.pages.keys(), name
        n_links += len(targets)
    assert n_links > 200


def test_a_link_is_followed_and_back_returns(qtbot: QtBot, help_window: HelpWindow) -> None:
    """Back and Forward turn pages as in a web browser."""
    help_window.open_page("terms/loss.md")
    help_window.browser.anchorClicked.emit(QUrl("../how-the-network-works.md"))
    assert help_window.page.name == "how-the-network-works.md"
    help_window.back()
    assert help_window.page.name == "terms/loss.md"
    help_window.forward()
    assert help_window.page.name == "how-the-network-works.md"
    help_window.back()
    help_window.back()
    assert help_window.page.name == "getting-started.md"
    assert not help_window._back.isEnabled()


def test_search_lists_pages(qtbot: QtBot, help_window: HelpWindow) -> None:
    """Enter opens the first; what is not there is said to be not there."""
    qtbot.keyClicks(help_window.search, "momentum")
    assert help_window.list.item(0).text() == "Momentum"
    help_window.search.returnPressed.emit()
    assert help_window.page.name == "terms/momentum.md"
    help_window.search.setText("xyzzy")
    assert help_window.list.item(0).text() == "Nothing found"
    help_window.search.clear()
    assert help_window.list.count() == len(help_window.library.contents)


def test_pictures_follow_the_theme(help_window: HelpWindow, window: Window) -> None:
    """The picture of a term is painted in the colours of the page; no file is loaded."""
    window.session.set_text_size(100)
    kind, picture = 2, QUrl("picture:loss")
    light = help_window.browser.loadResource(kind, picture)
    assert help_window.browser.loadResource(kind, QUrl.fromLocalFile("/etc/passwd")) is None
    window.session.set_theme(Mode.DARK)
    assert help_window.browser.loadResource(kind, picture) != light


def test_nothing_of_the_help_is_read_at_the_start(window: Window) -> None:
    """The window is there before the help is even imported, and makes its window when it is asked for."""
    assert window.findChild(HelpWindow) is None
    window.companions.show_help()
    assert window.findChild(HelpWindow) is not None
