"""The main window: tabs, menus, status bar, drag and drop, closing."""

from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QMainWindow, QVBoxLayout, QWidget

from digitpad.errors import DigitpadError
from digitpad.gui.pages import PAGES, Page
from digitpad.gui.session import Session, TrainingState
from digitpad.gui.shell.clipboard import PadClipboard
from digitpad.gui.shell.companions import Companions
from digitpad.gui.shell.menus import Menus
from digitpad.gui.shell.network_files import NetworkFiles
from digitpad.gui.shell.page_stack import PageStack
from digitpad.gui.shell.resume_banner import ResumeBanner
from digitpad.gui.shell.status_bar import StatusBar
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks
from digitpad.gui.widgets.basics import bring_to_front
from digitpad.gui.widgets.dialogs import confirm, show_error
from digitpad.gui.widgets.file_dialogs import FileDialogs
from digitpad.gui.widgets.tab_page import TabPage
from digitpad.gui.widgets.text_size import scaled
from digitpad.weights.native_format import Weights

if TYPE_CHECKING:
    from digitpad.gui.shell.preferences_dialog import PreferencesDialog

_IMPORTED_LATER = (
    "digitpad.recognition.number_reader",
    "digitpad.gui.importing.network_import",
    "digitpad.gui.runs.runs_window",
)

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
        self._stack = PageStack(session, pages)
        self._status = StatusBar(session)
        body = self._build()
        files = FileDialogs(session.preferences, self)
        self._files = files
        self._preferences_dialog = Lazy(self._make_preferences_dialog)
        self.companions = Companions(self, files, body, (self._stack.bar, self._status))
        self.networks = NetworkFiles(session, files, self)
        self.clipboard = PadClipboard(session, files, self.networks.open, self)
        self._importing = TaskRunner("imports", Policy.QUEUE, self)
        self._painted = False
        first = self._stack.show(0)
        self.menus = Menus(self)
        self._stack.changed.connect(self._follow_page)
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
        return self._stack.index

    @property
    def built_pages(self) -> list[TabPage]:
        """The tabs that were built."""
        return self._stack.built

    def show_page(self, index: int) -> TabPage:
        """Show a tab, building it if necessary; return it."""
        return self._stack.show(index)

    def page(self, kind: type[P]) -> P:
        """Return the tab of a class, building it if necessary; raise LookupError if there is none."""
        return self._stack.page(kind)

    def _follow_page(self, index: int) -> None:
        self.companions.follow_page()
        self.menus.show_page(index)

    def _show_requested(self, title: str) -> None:
        self.show_page(self._stack.titles.index(title))
        bring_to_front(self)

    def import_pages(self) -> None:
        """Import the other tabs in advance, so that they open quickly."""
        # In a task: imports take 100 ms or more, but a thread blocks the pen for only a millisecond at a time.
        self._importing.start(
            lambda: [*map(import_module, _IMPORTED_LATER), *(page.load() for page in self.pages)],
            finished=self._status.banner.look,  # an import that fails raises its error when the tab is shown
        )
        self.session.corrections.follow(self.session.weights)

    # Window around the tabs.

    @property
    def banner(self) -> ResumeBanner:
        """The banner that offers to resume an interrupted run."""
        return self._status.banner

    def show_preferences(self) -> None:
        """Show the Preferences dialog."""
        bring_to_front(self._preferences_dialog())

    def _make_preferences_dialog(self) -> "PreferencesDialog":
        from digitpad.gui.shell.preferences_dialog import PreferencesDialog

        return PreferencesDialog(self.session, self._files, self)

    def _show_error(self, title: str, error: DigitpadError) -> None:
        show_error(self, title, error)

    def _name_network(self, weights: Weights) -> None:
        self.setWindowTitle(f"{weights.name} – digitpad")

    def _build(self) -> QBoxLayout:
        """Build the window; return the layout with the pages, beside which panels can stand."""
        central = QWidget()
        column = QVBoxLayout(central)
        body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for layout in (column, body):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
        body.addWidget(self._stack.scroll, 1)
        column.addWidget(self._stack.bar)
        column.addLayout(body, 1)
        column.addWidget(self._status)
        self.setCentralWidget(central)
        return body

    # Closing.

    def finish_work(self) -> str:
        """End long work and save its result; return a description of what would be lost."""
        problems = [page.finish_work() for page in self._stack.built]
        if problem := self.session.corrections.save_again():
            problems.append(f"Some of your labelled drawings are not saved: {problem}")
        return "\n\n".join(filter(None, problems))

    def shut_down(self) -> None:
        """End all tasks of the window and of its tabs."""
        self.companions.shut_down()
        for page in self._stack.built:
            page.shut_down()
        end_tasks(self)
        end_tasks(self.session)

    def _may_stop_training(self) -> bool:
        if self.session.training is TrainingState.PAUSED:
            return confirm(self, "Training is paused.", "Close? You can resume it the next time.", "Close", "Stay")
        question = "Pause it and close? You can resume it the next time."
        return not self.session.training.is_busy or confirm(
            self, "Training is still running.", question, "Pause and close", "Keep training"
        )

    def _may_lose(self, problem: str) -> bool:
        question = f"{problem}\n\nClose anyway, and lose it?"
        return not problem or confirm(self, "Something is not saved.", question, "Close and lose it", "Stay")

    # Qt overrides.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._stack.restore)
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
        self.session.preferences.set_geometry("geometry", self.saveGeometry())
        self._stack.keep()
        self.session.preferences.sync()
        event.accept()
