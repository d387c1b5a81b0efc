"""The menu of all that can be done with the chosen runs, which is asked for, done in a thread, and told of."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QFile, QUrl, Signal
from PySide6.QtGui import QAction, QDesktopServices, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from digitpad.errors import DigitpadError, RunError
from digitpad.gui.runs.run_curves import RunCurves
from digitpad.gui.runs.run_dialogs import ask_epochs, ask_rate, ask_to_delete
from digitpad.gui.runs.runs_list import RunsList
from digitpad.gui.tasks.worker import Worker
from digitpad.gui.widgets.basics import named
from digitpad.gui.widgets.dialogs import show_error
from digitpad.gui.widgets.menu_utils import add_action
from digitpad.runs.run import Run, RunStatus
from digitpad.runs.run_registry import RunEntry
from digitpad.system.atomic_write import write_atomically
from digitpad.weights.native_format import load_weights

_KINDS = {"png": "PNG image (*.png)", "svg": "SVG image (*.svg)", "csv": "CSV table (*.csv)"}
_FROM_HERE = (RunStatus.PAUSED, RunStatus.CUT_OFF, RunStatus.STOPPED, RunStatus.DIVERGED)


class RunMenu(QMenu):
    """Knows of each of its actions when it can be done."""

    go_on_requested = Signal(object, object)  # Run, and the settings to change
    use_requested = Signal(object, object)  # Weights, and their path
    save_requested = Signal(object)  # Weights
    duplicate_requested = Signal(object)  # Recipe
    written = Signal(str)  # something changed on disk; a line that tells of it, or nothing

    def __init__(self, runs: RunsList, curves: RunCurves, worker: Worker, parent: QWidget) -> None:
        super().__init__("&Run", parent)
        self._runs = runs
        self._curves = curves
        self._worker = worker
        self._parent = parent
        add = partial(add_action, self)
        self._go_on_action = add("&Go on", self._go_on, "Ctrl+G")
        self._train_on_action = add("Train &on for more epochs…", self._train_on, "Ctrl+Shift+G")
        self._use_action = add("&Use in the Draw tab", self._use, "Ctrl+U")
        self._duplicate_action = add("Use its &settings in the Train tab", self._duplicate, "Ctrl+D")
        self.addSeparator()
        self._rename_action = add("Re&name", lambda: runs.edit_name(self._one), "F2")
        self._save_action = add("Save &weights as…", self._save_weights, "Ctrl+Shift+S")
        self._export_action = add("&Export as PNG, SVG or CSV…", self._export, "Ctrl+E")
        self._folder_action = add("Open its &folder", self._open_folder)
        self.addSeparator()
        self._delete_action = add("Move to &trash…", self._ask_to_delete, QKeySequence.StandardKey.Delete)
        self.buttons = [
            _button("Go on", self._go_on_action, "runs_go_on"),
            _button("Use it", self._use_action, "runs_use"),
            _button("Export…", self._export_action, "runs_export"),
        ]
        runs.model.renamed.connect(self._rename)

    def enable(self, *, training: bool) -> None:
        """Allow what can be done with the chosen runs; ``training`` is whether one is trained in the window."""
        entries = self._runs.chosen()
        one = entries[0] if len(entries) == 1 else None
        rests = one is not None and one.summary.status is not RunStatus.RUNNING and not training
        has_weights = one is not None and one.summary.validation_accuracy is not None and one.summary.epoch > 0
        for action, enabled in (
            (self._rename_action, one is not None),
            (self._go_on_action, rests and one is not None and one.summary.status in _FROM_HERE),
            # A loss that ran away would do so again: that is gone on with at another rate.
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
        """Write what is chosen into a file, by how its name ends."""
        content = self._curves.content(path)

        def write() -> None:
            try:
                write_atomically(path, content())
            except OSError as error:
                raise RunError(path, f"cannot be written ({error.strerror})") from error

        self._write("export", write, f"Saved {path.name}")

    @property
    def _one(self) -> RunEntry:
        """The run that is chosen, as most is done with one alone."""
        (entry,) = self._runs.chosen()
        return entry

    def _rename(self, entry: RunEntry, name: str) -> None:
        self._write(f"rename {entry.id}", lambda: entry.run.rename(name))

    def _go_on(self) -> None:
        """From the last checkpoint; where the loss had run away, at another rate, which is asked for."""
        entry = self._one
        go_on = partial(self.go_on_requested.emit, entry.run)
        if entry.summary.status is RunStatus.DIVERGED:
            asked = partial(ask_rate, self._parent, entry, go_on=go_on)
            self._worker.do("go on", entry.run.latest_recipe, asked, self._tell_problem)
        else:
            go_on({})

    def _train_on(self) -> None:
        """For as many more epochs as are asked for; patience does not end them."""
        run, done = self._one.run, self._one.summary.epoch
        ask_epochs(
            self._parent,
            self._one,
            lambda more: self.go_on_requested.emit(run, {"training.epochs": done + more, "training.patience": 0}),
        )

    def _use(self) -> None:
        path = self._one.run.weights_path
        self._worker.do(
            "use",
            lambda: load_weights(path),
            lambda weights: self.use_requested.emit(weights, path),
            self._tell_problem,
        )

    def _save_weights(self) -> None:
        path = self._one.run.weights_path
        self._worker.do("save", lambda: load_weights(path), self.save_requested.emit, self._tell_problem)

    def _duplicate(self) -> None:
        self._worker.do("settings", self._one.run.latest_recipe, self.duplicate_requested.emit, self._tell_problem)

    def _open_folder(self) -> None:
        for entry in self._runs.chosen():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(entry.run.folder)))

    def _export(self) -> None:
        """Ask where to, and write what the curves show, or one run's log as a table."""
        entries = self._runs.chosen()
        kinds = [kind for suffix, kind in _KINDS.items() if suffix != "csv" or len(entries) == 1]
        dialog = QFileDialog(self._parent, "Export", str(Path.home()), ";;".join(kinds))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kind[-4:-1]))
        dialog.selectFile(entries[0].name.replace("/", "-") if len(entries) == 1 else "runs")
        if dialog.exec():
            self.export(Path(dialog.selectedFiles()[0]))

    def _ask_to_delete(self) -> None:
        entries = self._runs.chosen()
        ask_to_delete(self._parent, entries, lambda: self._delete(entries))

    def _delete(self, entries: Sequence[RunEntry]) -> None:
        for entry in entries:
            self._write(f"delete {entry.id}", partial(to_trash, entry.run), f"‘{entry.name}’ is in the trash")

    def _write(self, key: str, work: Callable[[], object], done: str = "") -> None:
        self._worker.do(key, work, lambda _: self.written.emit(done), self._tell_problem)

    def _tell_problem(self, error: DigitpadError) -> None:
        show_error(self._parent, "That could not be done", error)


def to_trash(run: Run) -> None:
    """Move a run's folder to where the user can take it back from.

    Raises
    ------
    RunError
        If it is in training, or the system has no trash for it.
    """
    if run.is_in_training:
        raise RunError(run.folder, "is in training and stays")
    moved = QFile.moveToTrash(str(run.folder))
    if not (moved[0] if isinstance(moved, tuple) else moved):
        raise RunError(run.folder, "could not be moved to the trash; it stays where it is")


def _button(text: str, action: QAction, name: str) -> QPushButton:
    """A button that does the same, whenever it can be done."""
    button = named(QPushButton(text), name)
    button.setToolTip(f"{action.text().replace('&', '')} ({action.shortcut().toString()})")
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button
