"""The menu of commands for the selected runs."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from digitpad.errors import RunError
from digitpad.gui.runs.run_curves import RunCurves
from digitpad.gui.runs.run_dialogs import ask_epochs, ask_rate, ask_to_delete
from digitpad.gui.runs.runs_list import RunsList
from digitpad.gui.session import Lifetime, Session
from digitpad.gui.tasks.task import TaskRunner, Work, as_digitpad_error
from digitpad.gui.widgets.basics import named
from digitpad.gui.widgets.dialogs import show_error
from digitpad.gui.widgets.menu_utils import add_action, delete_keys
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_registry import RunEntry
from digitpad.system import user_folders
from digitpad.system.atomic_write import write_atomically
from digitpad.system.file_names import safe_file_name
from digitpad.weights.native_format import Weights, load_weights

_KINDS = {"png": "PNG image (*.png)", "svg": "SVG image (*.svg)", "csv": "CSV table (*.csv)"}
_FROM_HERE = (RunStatus.PAUSED, RunStatus.CUT_OFF, RunStatus.STOPPED, RunStatus.DIVERGED)


class RunMenu(QMenu):
    """Commands for the selected runs, each enabled if the runs allow it."""

    written = Signal(str)  # something changed on disk; a message, or nothing

    def __init__(self, session: Session, runs: RunsList, curves: RunCurves, tasks: TaskRunner, parent: QWidget) -> None:
        super().__init__("&Run", parent)
        self._session = session
        self._runs = runs
        self._curves = curves
        self._tasks = tasks
        self._parent = parent
        add = partial(add_action, self)
        self._resume_action = add("&Resume", self._resume, "Ctrl+G")
        self._train_on_action = add("Train for &more epochs…", self._train_on, "Ctrl+Shift+G")
        self._use_action = add("&Use in the Draw tab", self._use, "Ctrl+U")
        self._duplicate_action = add("Use its &settings in the Train tab", self._duplicate, "Ctrl+D")
        self.addSeparator()
        self._rename_action = add("Re&name", lambda: runs.edit_name(self._selected), "F2")
        self._save_action = add("Save &weights as…", self._save_weights, "Ctrl+Shift+S")
        self._export_action = add("&Export as PNG, SVG or CSV…", self._export, "Ctrl+E")
        self._folder_action = add("Open run &folder", self._open_folder)
        self.addSeparator()
        self._delete_action = add("Move to &trash…", self._ask_to_delete)
        self._delete_action.setShortcuts(delete_keys())
        self.buttons = [
            _button("Resume", self._resume_action, "runs_go_on"),
            _button("Use it", self._use_action, "runs_use"),
            _button("Export…", self._export_action, "runs_export"),
        ]
        runs.model.renamed.connect(self._rename)

    def enable(self, *, training: bool) -> None:
        """Enable the commands that the selected runs allow; ``training`` is whether the window trains."""
        entries = self._runs.chosen()
        one = entries[0] if len(entries) == 1 else None
        rests = one is not None and one.summary.status is not RunStatus.RUNNING and not training
        has_weights = one is not None and one.summary.validation_accuracy is not None and one.summary.epoch > 0
        for action, enabled in (
            (self._rename_action, one is not None),
            (self._resume_action, rests and one is not None and one.summary.status in _FROM_HERE),
            # A diverged run would diverge again: it is resumed at another learning rate.
            (self._train_on_action, rests and one is not None and one.summary.status is not RunStatus.DIVERGED),
            (self._use_action, has_weights),
            (self._duplicate_action, one is not None and not training),
            (self._save_action, has_weights),
            (self._export_action, bool(entries)),
            (self._folder_action, bool(entries)),
            (self._delete_action, bool(entries) and all(e.summary.status is not RunStatus.RUNNING for e in entries)),
        ):
            action.setEnabled(enabled)

    def export(self, path: Path) -> None:
        """Export the selected runs into a file, by its suffix."""
        content = self._curves.content(path)

        def write() -> None:
            try:
                write_atomically(path, content())
            except OSError as error:
                raise RunError(path, f"cannot be written ({error.strerror})") from error

        self._write("export", write, f"Saved {path.name}")

    @property
    def _selected(self) -> RunEntry:
        """The selected run; most commands need exactly one."""
        (entry,) = self._runs.chosen()
        return entry

    def _rename(self, entry: RunEntry, name: str) -> None:
        self._write(f"rename {entry.id}", lambda: entry.run.rename(name))

    def _resume(self) -> None:
        """Resume from the last checkpoint; ask for another learning rate if the run diverged."""
        entry = self._selected
        resume = partial(self._session.resume, entry.run)
        if entry.summary.status is RunStatus.DIVERGED:
            ask = partial(ask_rate, self._parent, entry, go_on=resume)
            self._run(entry.run.latest_recipe, ask)
        else:
            resume({})

    def _train_on(self) -> None:
        """Ask for more epochs, and train them without early stopping."""
        run, done = self._selected.run, self._selected.summary.epoch
        ask_epochs(
            self._parent,
            self._selected,
            lambda more: self._session.resume(run, {"training.epochs": done + more, "training.patience": 0}),
        )

    def _use(self) -> None:
        path = self._selected.run.weights_path

        def use(weights: Weights) -> None:
            self._session.use_network(weights, path)
            self._session.show_page("Draw")
            self._session.say(f"Reading with {self._session.weights.name}", Lifetime.NETWORK)

        self._run(lambda: load_weights(path), use)

    def _save_weights(self) -> None:
        path = self._selected.run.weights_path
        self._run(lambda: load_weights(path), self._session.save_requested.emit)

    def _duplicate(self) -> None:
        self._run(self._selected.run.latest_recipe, self._session.use_recipe)

    def _open_folder(self) -> None:
        for entry in self._runs.chosen():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(entry.run.folder)))

    def _export(self) -> None:
        """Ask for a file, and export the curves, or the log of one run as a table."""
        entries = self._runs.chosen()
        kinds = [kind for suffix, kind in _KINDS.items() if suffix != "csv" or len(entries) == 1]
        dialog = QFileDialog(self._parent, "Export", str(user_folders.home()), ";;".join(kinds))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind[-4:-1]))
        dialog.selectFile(safe_file_name(entries[0].name) if len(entries) == 1 else "runs")
        if dialog.exec():
            self.export(Path(dialog.selectedFiles()[0]))

    def _ask_to_delete(self) -> None:
        entries = self._runs.chosen()
        ask_to_delete(self._parent, entries, lambda: self._delete(entries))

    def _delete(self, entries: Sequence[RunEntry]) -> None:
        for entry in entries:
            self._write(f"delete {entry.id}", partial(to_trash, entry.run), f"Moved “{entry.name}” to the trash")

    def _write(self, key: str, work: Callable[[], object], done: str = "") -> None:
        self._run(work, lambda _: self._on_written(done), key)

    def _on_written(self, done: str) -> None:
        self._session.follow_runs()
        self.written.emit(done)

    def _run(self, work: Work, finished: Callable[[Any], object], key: str = "") -> None:
        self._tasks.start(work, key=key, finished=finished, failed=self._show_failure)

    def _show_failure(self, error: Exception) -> None:
        show_error(self._parent, "The action failed", as_digitpad_error(error))


def to_trash(run: Run) -> None:
    """Move a run's folder to the system's trash.

    Raises
    ------
    RunError
        If the run is in training, or the system has no trash for it.
    """
    if run.is_in_training:
        raise RunError(run.folder, "is in training and cannot be moved to the trash")
    moved = QFile.moveToTrash(str(run.folder))
    if not (moved[0] if isinstance(moved, tuple) else moved):
        raise RunError(run.folder, "could not be moved to the trash")


def _button(text: str, action: QAction, name: str) -> QPushButton:
    """Make a button that triggers an action and is enabled with it."""
    button = named(QPushButton(text), name)
    button.setToolTip(
        f"{action.text().replace('&', '')} ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})"
    )
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button
