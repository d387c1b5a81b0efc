"""Status and progress of a run, as stored in ``summary.json``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from digitpad.formats import json_values

MAX_STEPS = 1_000_000_000
MAX_EPOCHS = 10_000
_MAX_SECONDS = 1e9
_MAX_PROBLEM = 10_000


class RunStatus(StrEnum):
    """Status of a run.

    CUT_OFF is an interrupted run: its summary says running, but no process holds its lock.
    """

    RUNNING = "running"
    PAUSED = "paused"
    CUT_OFF = "cut off"
    STOPPED = "stopped"
    FINISHED = "finished"
    DIVERGED = "diverged"

    @property
    def label(self) -> str:
        """The status in words for the user."""
        return "interrupted" if self is RunStatus.CUT_OFF else self.value


@dataclass(frozen=True)
class RunSummary:
    """Progress of a run.

    Attributes
    ----------
    epoch : int
        Last epoch that was scored.
    n_epochs, step, n_steps : int
        Planned epochs, steps done, and planned steps.
    seconds : float
        Training time.
    validation_accuracy, test_accuracy : float or None
        Scores of the best weights so far; the test accuracy is None until the run ends.
    problem : str
        Reason why the run ended early by itself, or an empty string.
    """

    status: RunStatus = RunStatus.RUNNING
    epoch: int = 0
    n_epochs: int = 0
    step: int = 0
    n_steps: int = 0
    seconds: float = 0.0
    validation_accuracy: float | None = None
    test_accuracy: float | None = None
    problem: str = ""

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Return the summary with these values, the inverse of `dataclasses.asdict`.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a value is missing, unknown or invalid.
        """
        return cls(**{key: _CHECKS[key](value) for key, value in json_values.mapping(values).items()})


def _accuracy(value: Any) -> float | None:
    return None if value is None else json_values.number(value, 0, 1)


_CHECKS: Mapping[str, Any] = {
    "status": RunStatus,
    "epoch": lambda value: json_values.whole_number(value, 0, MAX_EPOCHS),
    "n_epochs": lambda value: json_values.whole_number(value, 0, MAX_EPOCHS),
    "step": lambda value: json_values.whole_number(value, 0, MAX_STEPS),
    "n_steps": lambda value: json_values.whole_number(value, 0, MAX_STEPS * MAX_EPOCHS),
    "seconds": lambda value: json_values.number(value, 0, _MAX_SECONDS),
    "validation_accuracy": _accuracy,
    "test_accuracy": _accuracy,
    "problem": lambda value: json_values.text(value, _MAX_PROBLEM),
}
