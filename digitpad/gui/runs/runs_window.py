"""The Runs window: a list of runs, the curves of the selected ones, and their different settings."""

from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QSplitter, QVBoxLayout, QWidget

from digitpad.gui.runs.run_curves import RunCurves
from digitpad.gui.runs.run_menu import RunMenu
from digitpad.gui.runs.runs_list import MAX_RUNS, RunsList
from digitpad.gui.session import Session, TrainingState
from digitpad.gui.tasks.task import Policy, TaskRunner, end_tasks, error_message
from digitpad.gui.widgets.basics import SPACE, ElidedLabel, status_row
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.runs.run import RunStatus
from digitpad.runs.run_registry import RunEntry, RunRegistry

REFRESH_MS = 2000  # while something is in training


class RunsWindow(QMainWindow):
    """Window that compares runs, also during training; folders and logs are read in tasks."""

    listed = Signal()  # the list shows what is on disk

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._session = session
        self._are_too_many = False
        self._registry = RunRegistry()
        self._problems: list[str] = []
        self._tasks = TaskRunner("runs", Policy.QUEUE, self)
        self._message = ElidedLabel("caption", "runs_message")
        self.runs = RunsList()
        self.curves = RunCurves(session.theme, self._registry, self._tasks)
        self.menu = RunMenu(session, self.runs, self.curves, self._tasks, self)
        self.setObjectName("runs_window")
        self.setWindowTitle("Runs – digitpad")
        self.setMinimumSize(1024, 600)
        self._build()
        self.runs.chosen_changed.connect(self._chosen_changed)
        self.runs.menu_requested.connect(self.menu.popup)
        self.curves.failed.connect(self._show_error)
        self.menu.written.connect(self._written)
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._enable()
        session.training_changed.connect(self._training_changed)
        geometry = session.preferences.geometry("runs_geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1120, 760)

    def _training_changed(self, state: TrainingState) -> None:
        self._enable()
        if self.isVisible():
            self.refresh()

    @property
    def is_polling(self) -> bool:
        """Whether the list is refreshed by a timer, as a run is in training."""
        return self._timer.isActive()

    def refresh(self) -> None:
        """Reload the runs from disk."""
        self._tasks.start(self._registry.entries, key="list", finished=self._on_listed, failed=self._show_error)

    def _on_listed(self, entries: list[RunEntry]) -> None:
        known = set(self.runs.chosen())
        self.runs.set_entries(entries)
        self._show_problems()
        live = self._session.training.is_busy or any(entry.summary.status is RunStatus.RUNNING for entry in entries)
        if not live or not self.isVisible():
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()
        chosen = self.runs.chosen()
        if set(chosen) != known or any(entry.summary.status is RunStatus.RUNNING for entry in chosen):
            self._redraw()
        self._enable()
        self.listed.emit()

    def _show_problems(self) -> None:
        """Report unreadable runs, once for each change."""
        problems = [str(problem) for problem in self._registry.problems]
        if problems != self._problems:
            self._problems = problems
            more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
            self._message.set_text(f"Unreadable run: {problems[0]}{more}" if problems else "")

    def _chosen_changed(self) -> None:
        self._enable()
        self._redraw()
        are_too_many, were_too_many = self.runs.n_selected > MAX_RUNS, self._are_too_many
        self._are_too_many = are_too_many
        if are_too_many:
            self._message.set_text(f"Showing the first {MAX_RUNS} of {self.runs.n_selected} runs")
        elif were_too_many:
            self._message.set_text("")

    def _redraw(self) -> None:
        self.curves.set_runs(self.runs.chosen())
        self.runs.model.set_colours(self.curves.colours)

    def _enable(self) -> None:
        self.menu.enable(training=self._session.training.is_busy)

    def _written(self, message: str) -> None:
        if message:
            self._message.set_text(message)
        self.refresh()

    def _show_error(self, error: Exception) -> None:
        self._message.set_text(error_message(error))

    # Building.

    def _build(self) -> None:
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(4 * SPACE)
        splitter.addWidget(self._build_side())
        splitter.addWidget(self.curves)
        splitter.setStretchFactor(0, 1)
        splitter.setStretchFactor(1, 2)
        splitter.setSizes([520, 560])
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        around = QVBoxLayout()
        around.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        around.addWidget(splitter)
        column.addLayout(around, 1)
        status = QWidget()
        status_row(status).addWidget(self._message, 1)
        column.addWidget(status)
        self.setCentralWidget(central)
        self.menuBar().addMenu(self.menu)
        view = self.menuBar().addMenu("&View")
        self.curves.fill(view)
        view.addSeparator()
        add_action(view, "&Refresh", self.refresh, QKeySequence.StandardKey.Refresh)
        add_action(view, "&Close", self.close, QKeySequence.StandardKey.Close)
        for one, other in pairwise([self.runs.table, *self.menu.buttons, *self.curves.tab_stops]):
            self.setTabOrder(one, other)
        self.runs.table.setFocus()

    def _build_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3 * SPACE)
        column.addWidget(self.runs, 1)
        row = QHBoxLayout()
        row.setSpacing(2 * SPACE)
        for button in self.menu.buttons:
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        return side

    # Qt overrides.

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.refresh()  # another program may have trained in the meantime

    def closeEvent(self, event: QCloseEvent) -> None:
        self._timer.stop()
        self._session.preferences.set_geometry("runs_geometry", self.saveGeometry())
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Close, and wait for the end of all tasks."""
        self.close()
        end_tasks(self)
