"""Trials of a hyperparameter search: plain records, independent of Optuna and its database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TrialOutcome(StrEnum):
    """Outcome of a trial."""

    DONE = "done"
    PRUNED = "pruned"  # stopped early because it was worse than most
    DIVERGED = "diverged"
    REFUSED = "refused"  # each setting is valid, but their combination is not
    STOPPED = "stopped"  # by Ctrl-C or the end of its process; does not count, and is replaced
    RUNNING = "running"  # in this or another process


@dataclass(frozen=True)
class Trial:
    """A training run with settings sampled from ranges.

    Attributes
    ----------
    number : int
        Number from 0, in the order in which the trials of all processes began.
    settings : mapping
        Sampled settings, by dotted key.
    accuracy : float or None
        Best validation accuracy of any epoch.
    epochs : int
        Number of epochs trained.
    """

    number: int
    settings: Mapping[str, Any]
    accuracy: float | None
    epochs: int
    state: TrialOutcome


def best_first(trials: Iterable[Trial]) -> list[Trial]:
    """Sort completed trials before all others, each group by accuracy, highest first; ties by number."""
    return sorted(
        trials, key=lambda trial: (trial.state is not TrialOutcome.DONE, -(trial.accuracy or 0), trial.number)
    )


def best_of(trials: Iterable[Trial]) -> Trial | None:
    """Return the completed trial with the highest accuracy; the first of a tie; None if no trial is completed."""
    return next((trial for trial in best_first(trials) if trial.state is TrialOutcome.DONE), None)


def count_trials(trials: Iterable[Trial]) -> int:
    """Return the number of trials without stopped trials."""
    return sum(trial.state is not TrialOutcome.STOPPED for trial in trials)
