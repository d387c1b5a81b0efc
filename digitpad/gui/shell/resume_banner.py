"""Banner that offers to resume an interrupted run."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from digitpad.gui.session import Session, TrainingState
from digitpad.gui.tasks.task import Policy, TaskRunner
from digitpad.gui.widgets.basics import SPACE, link, make_label

if TYPE_CHECKING:
    from digitpad.runs.run_registry import RunEntry

_MAX_NAME = 24


class ResumeBanner(QWidget):
    """Banner that is shown if there is an interrupted run that the user has not declined to resume."""

    looked = Signal(object)  # RunEntry that is offered from now on, or None

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("resume_offer")
        self._session = session
        self._tasks = TaskRunner("resume banner", Policy.LATEST, self)
        self._entry: RunEntry | None = None
        self._text = make_label("", "caption", "resume_text")
        resume = link("Resume", "resume_button", "Resume this run from its last checkpoint, in the Train tab")
        later = link("Not now", "resume_later", "The run stays under Model › Runs…")
        resume.clicked.connect(self._resume)
        later.clicked.connect(self._decline)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        for widget in (self._text, resume, later):
            row.addWidget(widget)
        self.hide()
        session.training_changed.connect(self._training_changed)

    def look(self) -> None:
        """Look for an interrupted run, as a task: there may be many runs, on a slow disk."""
        self._tasks.start(unfinished_run, finished=self._offer, failed=lambda: self.looked.emit(None))

    def _training_changed(self, state: TrainingState) -> None:
        """Hide the offer when training starts."""
        if state.is_busy:
            self._tasks.close()
            self._offer(None)

    def _offer(self, entry: "RunEntry | None") -> None:
        if entry is not None and self._session.preferences.declined_run == _key(entry):
            entry = None
        self._entry = entry
        if entry is not None:
            name = entry.name if len(entry.name) <= _MAX_NAME else f"{entry.name[: _MAX_NAME - 1]}…"
            summary = entry.summary
            self._text.setText(f"“{name}” was {summary.status.label} at epoch {summary.epoch} of {summary.n_epochs}")
            self.setToolTip(entry.name)
        self.setVisible(entry is not None)
        self.looked.emit(entry)

    def _resume(self) -> None:
        if self._entry is not None:
            self._session.resume(self._entry.run, {})

    def _decline(self) -> None:
        if self._entry is not None:
            self._session.preferences.declined_run = _key(self._entry)
        self._offer(None)


def unfinished_run() -> "RunEntry | None":
    """Return the latest run that was paused or interrupted and that is not in training."""
    from digitpad.runs.run_registry import RunRegistry  # imported here to keep the start fast

    entries = RunRegistry().entries()
    return next((entry for entry in entries if entry.is_unfinished and not entry.run.is_in_training), None)


def _key(entry: "RunEntry") -> str:
    """Identify a run and its progress: if it is interrupted again later, it is offered again."""
    return f"{entry.id} {entry.summary.step}"
