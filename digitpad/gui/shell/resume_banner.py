"""Offers to go on with a run that was paused or cut off, in a line that is in nobody's way."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from digitpad.errors import DigitpadError
from digitpad.gui.tasks.worker import Worker
from digitpad.gui.widgets.basics import SPACE, make_label
from digitpad.gui.widgets.form_widgets import link

if TYPE_CHECKING:
    from digitpad.runs.run_registry import RunEntry

_MAX_NAME = 24


class ResumeBanner(QWidget):
    """Hidden, unless a run can be gone on with that the user has not turned down as it stands.

    Parameters
    ----------
    settings : QSettings
        Where it is kept what was turned down.
    """

    resume_requested = Signal(object)  # Run
    looked = Signal(object)  # Entry that is offered from now on, or None

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self.setObjectName("resume_offer")
        self._settings = settings
        self._worker = Worker("resume offer", self)
        self._entry: RunEntry | None = None
        self._text = make_label("", "caption", "resume_text")
        resume = link("Resume", "resume_button", "Go on with this run from its last checkpoint, in the Train tab")
        later = link("Not now", "resume_later", "It stays under Model › Runs…")
        resume.clicked.connect(self._resume)
        later.clicked.connect(self._turn_down)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        for widget in (self._text, resume, later):
            row.addWidget(widget)
        self.hide()

    def look(self) -> None:
        """Look for a run, in a thread: there may be many, and on a slow disk."""
        self._worker.do("look", _unfinished, self._offer, self._fail)

    def withdraw(self) -> None:
        """A training begins: offer nothing any more."""
        self._worker.close()
        self._offer(None)

    def shut_down(self) -> None:
        """Wait for its thread's end."""
        self._worker.close()

    def _offer(self, entry: "RunEntry | None") -> None:
        if entry is not None and self._settings.value("turned_down") == _key(entry):
            entry = None
        self._entry = entry
        if entry is not None:
            name = entry.name if len(entry.name) <= _MAX_NAME else f"{entry.name[: _MAX_NAME - 1]}…"
            how = f"was {entry.summary.status} at epoch {entry.summary.epoch} of {entry.summary.n_epochs}"
            self._text.setText(f"‘{name}’ {how}")
            self.setToolTip(entry.name)
        self.setVisible(entry is not None)
        self.looked.emit(entry)

    def _fail(self, error: DigitpadError) -> None:
        self.looked.emit(None)

    def _resume(self) -> None:
        if self._entry is not None:
            self.resume_requested.emit(self._entry.run)

    def _turn_down(self) -> None:
        if self._entry is not None:
            self._settings.setValue("turned_down", _key(self._entry))
        self._offer(None)


def _unfinished() -> "RunEntry | None":
    """The latest run that was paused or cut off, and that nobody is at work on."""
    from digitpad.runs.run_registry import RunRegistry  # in the thread, for the start does without

    entries = RunRegistry().entries()
    return next((entry for entry in entries if entry.is_unfinished and not entry.run.is_in_training), None)


def _key(entry: "RunEntry") -> str:
    """The run as it stands: gone on with and cut off again, it is offered again."""
    return f"{entry.id} {entry.summary.step}"
