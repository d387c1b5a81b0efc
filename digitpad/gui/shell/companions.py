"""Windows and panels that accompany the tabs; each is made when it is first wanted."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QBoxLayout, QWidget

from digitpad.gui.beside.drawing_history import DrawingHistory
from digitpad.gui.tasks.lazy import Lazy
from digitpad.gui.tasks.task import end_tasks
from digitpad.gui.widgets.basics import bring_to_front
from digitpad.gui.widgets.file_dialogs import FileDialogs

if TYPE_CHECKING:
    from digitpad.gui.beside.side_panels import SidePanels
    from digitpad.gui.help.help_window import HelpWindow
    from digitpad.gui.lessons.lesson_runner import LessonRunner
    from digitpad.gui.runs.runs_window import RunsWindow
    from digitpad.gui.shell.presentation import Presentation
    from digitpad.gui.shell.window import Window

_TOUR_AFTER_MS = 700  # the window then stands, and the other tabs are imported


class Companions(QObject):
    """Runs, help, lessons, presentation, history and a second network.

    Parameters
    ----------
    window : Window
    files : FileDialogs
    body : QBoxLayout
        Layout with the tabs as its first item; panels are put beside or below them.
    hidden : tuple of QWidget
        What a presentation hides.
    """

    def __init__(self, window: "Window", files: FileDialogs, body: QBoxLayout, hidden: tuple[QWidget, ...]) -> None:
        super().__init__(window)
        self._window, self._session, self._files = window, window.session, files
        self._body, self._hidden = body, hidden
        self._runs_window = Lazy(self._make_runs_window)
        self._help_window = Lazy(self._make_help_window)
        self._lessons = Lazy(self._make_lessons)
        self._presentation = Lazy(self._make_presentation)
        self._panels: SidePanels | None = None
        self.history = DrawingHistory(self._session)
        self._session.help_requested.connect(self.show_help)
        self._session.lesson_requested.connect(self.start_lesson)

    # Runs and help.

    @property
    def runs_window(self) -> "RunsWindow":
        """The window that compares runs."""
        return self._runs_window()

    def show_runs(self) -> None:
        """Show the Runs window."""
        bring_to_front(self.runs_window)

    def _make_runs_window(self) -> "RunsWindow":
        from digitpad.gui.runs.runs_window import RunsWindow

        return RunsWindow(self._session, self._window)

    def show_help(self, page: str = "") -> None:
        """Show the help window, at a page or where it was."""
        if page:
            self._help_window().open_page(page)
        bring_to_front(self._help_window())

    def _make_help_window(self) -> "HelpWindow":
        from digitpad.gui.help.help_window import HelpWindow

        return HelpWindow(self._session, self._window)

    def explain_focus(self) -> None:
        """Show the card of the term nearest to the keyboard focus."""
        from digitpad.gui.help.term_card import nearest_button

        if (button := nearest_button(self._window)) is not None:
            button.show_card()
        else:
            self.show_help()

    # Lessons.

    @property
    def lessons(self) -> "LessonRunner":
        """Runs the lessons."""
        return self._lessons()

    def start_lesson(self, path: Path) -> None:
        """Start a lesson from its file."""
        self.lessons.start(path)

    def _make_lessons(self) -> "LessonRunner":
        from digitpad.gui.lessons.lesson_runner import LessonRunner

        return LessonRunner(self._window)

    def offer_tour(self) -> None:
        """Show the first steps at the first start, once the window has been painted."""
        if self._session.preferences.take_tour():
            QTimer.singleShot(_TOUR_AFTER_MS, self, self.start_tour)

    def start_tour(self) -> None:
        """Start the four first steps."""
        from digitpad.teaching.lesson import TOUR

        self.start_lesson(TOUR)

    # Presentation.

    def toggle_presentation(self) -> None:
        """Begin or end the presentation."""
        self._presentation().toggle()

    def follow_page(self) -> None:
        """Present the tab that is shown now, during a presentation."""
        if self._presentation.value is not None:
            self._presentation.value.follow_page()

    def _make_presentation(self) -> "Presentation":
        from digitpad.gui.shell.presentation import Presentation

        return Presentation(self._window, self._hidden)

    # Panels.

    def add_panel(self, panel: QWidget) -> None:
        """Put a `SidePanel` beside the tabs, or below them in a narrow window, until it is destroyed."""
        if self._panels is None:
            from digitpad.gui.beside.side_panels import SidePanels

            self._panels = SidePanels(self._window, self._body)
        self._panels.add(panel)

    def toggle_history(self) -> None:
        """Show or close the strip of the last drawings."""
        from digitpad.gui.beside.history_panel import HistoryPanel

        self._toggle_panel("history_panel", lambda: HistoryPanel(self._session, self.history, self._files))

    def toggle_comparison(self) -> None:
        """Show or close the panel with a second network."""
        from digitpad.gui.beside.compare_panel import ComparePanel

        self._toggle_panel("compare_panel", lambda: ComparePanel(self._session))

    def _toggle_panel(self, name: str, make: Callable[[], QWidget]) -> None:
        if (panel := self._window.findChild(QWidget, name)) is not None:
            _close_panel(panel)
            return
        panel = make()
        panel.left.connect(partial(_close_panel, panel))  # type: ignore[attr-defined]
        self.add_panel(panel)

    def shut_down(self) -> None:
        """Close the windows and end their tasks."""
        if self._runs_window.value is not None:
            self._runs_window.value.shut_down()
        if self._help_window.value is not None:
            self._help_window.value.close()


def _close_panel(panel: QWidget) -> None:
    end_tasks(panel)
    panel.hide()
    panel.setParent(None)
    panel.deleteLater()
