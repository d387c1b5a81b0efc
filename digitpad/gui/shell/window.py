"""The main window: tabs, menus, status bar, drag and drop, closing."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from digitpad.errors import DigitpadError
from digitpad.gui.pages import PAGES, Page
from digitpad.gui.session import Session, TrainingState
from digitpad.gui.shell.clipboard import PadClipboard
from digitpad.gui.shell.menus import Menus
from digitpad.gui.shell.network_files import NetworkFiles
from digitpad.gui.shell.preferences_dialog import PreferencesDialog
from digitpad.gui.shell.resume_banner import ResumeBanner
from digitpad.gui.shell.status_bar import StatusBar
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks
from digitpad.gui.widgets.basics import Tabs, bring_to_front, named
from digitpad.gui.widgets.dialogs import confirm, show_error
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.text_size import scale_with_text, scaled
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.gui.runs.runs_window import RunsWindow

_IMPORTED_LATER = ("digitpad.gui.importing.network_import", "digitpad.gui.runs.runs_window")

_PAGE_PX = (920, 524)  # minimum size of a page
_MINIMUM_PX = (480, 320)

P = TypeVar("P", bound=TabPage)


class Window(QMainWindow):
    """Main window with the tabs of `digitpad.gui.pages.PAGES`.

    The first tab is built at the start. The others are imported after the first paint and built when they are first
    shown; with them the start would take twice as long.

    Parameters
    ----------
    session : Session
    pages : tuple of Page
    """

    def __init__(self, session: Session, pages: tuple[Page, ...] = PAGES) -> None:
        super().__init__()
        self.session = session
        self.pages = pages
        self.setObjectName("window")
        self.setAcceptDrops(True)
        self._built = [Lazy(lambda page=page: self._build_page(page)) for page in pages]  # type: ignore[misc]
        self._runs_window = Lazy(self._make_runs_window)
        self._tabs = named(Tabs(), "tab_bar")
        self._stack = QStackedWidget()
        self._scroll = named(QScrollArea(), "page_scroll")
        self._preferences_dialog = Lazy(lambda: PreferencesDialog(session, files, self))
        self._status = StatusBar(session)
        files = FileDialogs(session.preferences, self)
        self.networks = NetworkFiles(session, files, self)
        self.clipboard = PadClipboard(session, files, self.networks.open, self)
        self._importing = TaskRunner("imports", Policy.QUEUE, self)
        self._painted = False
        self._build()
        first = self._built[0]()
        self.menus = Menus(self)
        self._tabs.currentChanged.connect(self._tab_changed)
        session.page_requested.connect(self._show_requested)
        session.error_raised.connect(self._show_error)
        session.network_changed.connect(self._name_network)
        session.runs_changed.connect(lambda: self._name_network(session.weights))
        self._name_network(session.weights)
        session.theme.set_mode(session.preferences.theme)
        session.theme.set_text_size(session.preferences.text_size)
        self.setMinimumSize(*_MINIMUM_PX)
        geometry = session.preferences.geometry("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            wanted = QSize(scaled(1120), scaled(800))
            self.resize(wanted.boundedTo(self.screen().availableSize()))
        first.setFocus()

    # Tabs.

    @property
    def page_index(self) -> int:
        """Index of the tab that is shown."""
        return self._tabs.currentIndex()

    def show_page(self, index: int) -> TabPage:
        """Show a tab, building it if necessary; return it."""
        self._tabs.setCurrentIndex(index)
        return self._built[index]()

    def page(self, kind: type[P]) -> P:
        """Return the tab of a class, building it if necessary.

        Raises
        ------
        LookupError
            If there is no such tab.
        """
        for page, built in zip(self.pages, self._built, strict=True):
            if page.load() is kind:
                widget = built()
                assert isinstance(widget, kind)
                return widget
        raise LookupError(kind.__name__)

    def _build_page(self, page: Page) -> TabPage:
        widget = page.build(self.session)
        self._stack.addWidget(widget)
        states = self.session.preferences.last_session.get("pages")
        if isinstance(states, dict) and isinstance(state := states.get(page.title), dict):
            widget.restore_state(state)
        return widget

    def _tab_changed(self, index: int) -> None:
        self._stack.setCurrentWidget(self._built[index]())
        self.menus.show_page(index)

    def _show_requested(self, title: str) -> None:
        self.show_page([page.title for page in self.pages].index(title))
        bring_to_front(self)

    def show_preferences(self) -> None:
        """Show the Preferences dialog."""
        bring_to_front(self._preferences_dialog())

    # Window around the tabs.

    @property
    def banner(self) -> ResumeBanner:
        """The banner that offers to resume an interrupted run."""
        return self._status.banner

    @property
    def runs_window(self) -> "RunsWindow":
        """The window that compares runs."""
        return self._runs_window()

    def show_runs(self) -> None:
        """Show the Runs window."""
        bring_to_front(self.runs_window)

    def _make_runs_window(self) -> "RunsWindow":
        from digitpad.gui.runs.runs_window import RunsWindow

        return RunsWindow(self.session, self)

    def _show_error(self, title: str, error: DigitpadError) -> None:
        show_error(self, title, error)

    def _build(self) -> None:
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        bar = named(QWidget(), "tabs")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(20, 0, 20, 0)
        self._tabs.setExpanding(False)
        self._tabs.setUsesScrollButtons(False)
        self._tabs.setAccessibleName("Tabs")
        for page in self.pages:
            index = self._tabs.addTab(page.title)
            self._tabs.setTabToolTip(index, f"{page.title} (Ctrl+{index + 1})")
        titles = [page.title for page in self.pages]
        if "Train" in titles:
            self.session.training_progressed.connect(partial(self._tabs.set_progress, titles.index("Train")))
        row.addWidget(self._tabs)
        row.addStretch(1)
        column.addWidget(bar)
        # A screen smaller than the pages, or large text, makes them scroll; tabs and status bar stay visible.
        scale_with_text(self._stack, self._stack.setMinimumSize, *_PAGE_PX)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(self._stack)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._status)
        self.setCentralWidget(central)

    def import_pages(self) -> None:
        """Import the other tabs in advance, so that they open quickly."""
        # In a task: imports take 100 ms or more, but a thread blocks the pen for only a millisecond at a time.
        self._importing.start(
            lambda: [*(page.load() for page in self.pages), *map(import_module, _IMPORTED_LATER)],
            finished=self._status.banner.look,  # an import that fails raises its error when the tab is shown
        )
        self.session.corrections.follow(self.session.weights)

    def _name_network(self, weights: Weights) -> None:
        self.setWindowTitle(f"{weights.name} – digitpad")

    # Closing.

    def finish_work(self) -> str:
        """End long work and save its result; return a description of what would be lost."""
        problems = [lazy.value.finish_work() for lazy in self._built if lazy.value is not None]
        return "\n\n".join(filter(None, problems))

    def shut_down(self) -> None:
        """End all tasks of the window and of its tabs."""
        if self._runs_window.value is not None:
            self._runs_window.value.shut_down()
        for lazy in self._built:
            if lazy.value is not None:
                lazy.value.shut_down()
        end_tasks(self)
        end_tasks(self.session)

    def _keep_session(self) -> None:
        """Save the size of the window and the session for the next start."""
        session, preferences = self.session, self.session.preferences
        preferences.set_geometry("geometry", self.saveGeometry())
        states = {
            page.title: lazy.value.saved_state()
            for page, lazy in zip(self.pages, self._built, strict=True)
            if lazy.value is not None
        }
        preferences.keep_session(self.pages[self.page_index].title, session.network_path, states)

    def _restore_page(self) -> None:
        """Restore the tab of the last session."""
        titles = [page.title for page in self.pages]
        if (title := self.session.preferences.last_session.get("page")) in titles:
            self.show_page(titles.index(title))

    def _may_stop_training(self) -> bool:
        if self.session.training is TrainingState.PAUSED:
            return confirm(self, "Training is paused.", "Close? You can resume it the next time.", "Close", "Stay")
        question = "Pause it and close? You can resume it the next time."
        return not self.session.training.is_busy or confirm(
            self, "Training is still running.", question, "Pause and close", "Keep training"
        )

    def _may_lose(self, problem: str) -> bool:
        question = f"{problem}\n\nClose anyway, and lose the network?"
        return not problem or confirm(self, "The network is not saved.", question, "Close and lose it", "Stay")

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._restore_page)
            QTimer.singleShot(0, self, self.import_pages)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.clipboard.can_take(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if self.clipboard.take(event.mimeData(), "Drop"):
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """During training, ask whether to close, then pause and save the run."""
        if not self._may_stop_training() or not self._may_lose(self.finish_work()):
            event.ignore()
            return
        self.shut_down()
        self._keep_session()
        self.session.preferences.sync()
        event.accept()
