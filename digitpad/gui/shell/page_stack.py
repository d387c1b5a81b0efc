"""The tabs of the main window: their bar, and their pages, which are built when they are first shown."""

from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QWidget

from digitpad.gui.pages import Page
from digitpad.gui.session import Session
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.widgets.basics import Tabs, named
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.text_size import scale_with_text

_PAGE_PX = (920, 524)  # minimum size of a page

P = TypeVar("P", bound=TabPage)


class PageStack(QObject):
    """Tab bar and pages, which the window puts into its layout.

    Parameters
    ----------
    session : Session
    pages : tuple of Page
    """

    changed = Signal(int)  # index of the tab that is shown now

    def __init__(self, session: Session, pages: tuple[Page, ...]) -> None:
        super().__init__()
        self._session, self.pages = session, pages
        self.bar = named(QWidget(), "tabs")
        self.scroll = named(QScrollArea(), "page_scroll")
        self._tabs = named(Tabs(), "tab_bar")
        self._stack = QStackedWidget()
        self._built = [Lazy(lambda page=page: self._build_page(page)) for page in pages]  # type: ignore[misc]
        self._build()
        self._tabs.currentChanged.connect(self._tab_changed)

    @property
    def titles(self) -> list[str]:
        """Titles of the tabs."""
        return [page.title for page in self.pages]

    @property
    def index(self) -> int:
        """Index of the tab that is shown."""
        return self._tabs.currentIndex()

    @property
    def built(self) -> list[TabPage]:
        """The pages that were built."""
        return [lazy.value for lazy in self._built if lazy.value is not None]

    def show(self, index: int) -> TabPage:
        """Show a tab, building its page if necessary; return the page."""
        self._tabs.setCurrentIndex(index)
        return self._built[index]()

    def page(self, kind: type[P]) -> P:
        """Return the page of a class, building it if necessary.

        Raises
        ------
        LookupError
            If there is no such page.
        """
        for page, built in zip(self.pages, self._built, strict=True):
            if page.load() is kind:
                widget = built()
                assert isinstance(widget, kind)
                return widget
        raise LookupError(kind.__name__)

    def keep(self) -> None:
        """Save the tab that is shown, the network, and the state of each page for the next start."""
        states = {
            page.title: lazy.value.saved_state()
            for page, lazy in zip(self.pages, self._built, strict=True)
            if lazy.value is not None
        }
        self._session.preferences.keep_session(self.titles[self.index], self._session.network_path, states)

    def restore(self) -> None:
        """Show the tab of the last session."""
        if (title := self._session.preferences.last_session.get("page")) in self.titles:
            self.show(self.titles.index(title))

    def _build_page(self, page: Page) -> TabPage:
        widget = page.build(self._session)
        self._stack.addWidget(widget)
        states = self._session.preferences.last_session.get("pages")
        if isinstance(states, dict) and isinstance(state := states.get(page.title), dict):
            widget.restore_state(state)
        return widget

    def _tab_changed(self, index: int) -> None:
        self._stack.setCurrentWidget(self._built[index]())
        self.changed.emit(index)

    def _build(self) -> None:
        self.bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(20, 0, 20, 0)
        self._tabs.setExpanding(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setAccessibleName("Tabs")
        for page in self.pages:
            index = self._tabs.addTab(page.title)
            self._tabs.setTabToolTip(index, f"{page.title} (Ctrl+{index + 1})")
        if "Train" in self.titles:
            self._session.training_progressed.connect(partial(self._tabs.set_progress, self.titles.index("Train")))
        row.addWidget(self._tabs)
        row.addStretch(1)
        # A screen smaller than the pages, or large text, makes them scroll; tabs and status bar stay visible.
        scale_with_text(self._stack, self._stack.setMinimumSize, *_PAGE_PX)
        self.scroll.setWidgetResizable(True)
        self.scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll.setWidget(self._stack)
