"""Runs a lesson in the window: the panel, the pointer, and the check of each step."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeySequence, QShortcut

from digitpad.errors import DigitpadError
from digitpad.gui.lessons.lesson_panel import LessonPanel
from digitpad.gui.lessons.lesson_stage import LessonStage
from digitpad.gui.lessons.pointer import Pointer
from digitpad.teaching.lesson import load_lesson

if TYPE_CHECKING:
    from digitpad.gui.shell.window import Window

CHECK_MS = 250


class LessonRunner(QObject):
    """At most one lesson at a time, in a panel of the window.

    Parameters
    ----------
    window : Window
    """

    def __init__(self, window: "Window") -> None:
        super().__init__(window)
        self._window = window
        self._stage = LessonStage(window)
        self._pointer = Pointer(window.session.theme, window)
        self.panel: LessonPanel | None = None
        self._timer = QTimer(self, interval=CHECK_MS)
        self._timer.timeout.connect(self.check)
        self._keys = []
        for key, by in ((Qt.Key.Key_PageDown, 1), (Qt.Key.Key_PageUp, -1)):
            shortcut = QShortcut(QKeySequence(key), window)
            shortcut.activated.connect(lambda by=by: self.turn(by))
            shortcut.setEnabled(False)
            self._keys.append(shortcut)

    def start(self, path: Path) -> None:
        """Start a lesson in place of the one before; a file with an error is said to be wrong."""
        try:
            lesson = load_lesson(path)
        except DigitpadError as error:
            self._window.session.raise_error("This lesson can't be opened", error)
            return
        self.leave()
        self._stage.begin()
        self.panel = LessonPanel(lesson)
        self.panel.page_changed.connect(self._show_page)
        self.panel.left.connect(self.leave)
        self._window.companions.add_panel(self.panel)
        self._timer.start()
        self._enable_keys(True)

    def leave(self) -> None:
        """End the lesson, if there is one."""
        self._timer.stop()
        self._pointer.point_at("")
        self._enable_keys(False)
        if self.panel is not None:
            self.panel.hide()
            self.panel.deleteLater()
            self.panel = None

    def turn(self, by: int) -> None:
        """Show the next page of the lesson, or the one before."""
        if self.panel is not None:
            self.panel.turn(by)

    def check(self) -> None:
        """Look whether the step that is shown was done."""
        panel = self.panel
        if panel is None or panel.step is None or panel.is_done:
            return
        check = panel.step.check
        if check is not None and self._stage.is_done(check):
            panel.set_done()

    def _show_page(self, page: int) -> None:
        step = None if self.panel is None else self.panel.step
        if step is None:
            self._pointer.point_at("")
            return
        self._stage.set_up(step)
        self._pointer.point_at(step.points_at)
        self.check()

    def _enable_keys(self, enabled: bool) -> None:
        for shortcut in self._keys:
            shortcut.setEnabled(enabled)
