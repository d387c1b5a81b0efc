"""What a search for settings is told as: its trials, as records that need neither Optuna nor a database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TrialOutcome(StrEnum):
    """How a trial ended, if it did."""

    DONE = "done"
    PRUNED = "pruned"  # given up half-way, as worse than most
    DIVERGED = "diverged"
    REFUSED = "refused"  # its settings, each possible, cannot be together
    STOPPED = "stopped"  # by Ctrl-C or the end of its process; it does not count, and another takes its place
    RUNNING = "running"  # perhaps in another process


@dataclass(frozen=True)
class Trial:
    """One training with settings drawn from ranges.

    Attributes
    ----------
    number : int
        From 0, in the order in which trials began, whichever process ran them.
    settings : mapping
        What was drawn, by dotted keys.
    accuracy : float or None
        The best on validation, after any of its epochs.
    epochs : int
        How many it was trained for.
    """

    number: int
    settings: Mapping[str, Any]
    accuracy: float | None
    epochs: int
    state: TrialOutcome


def best_first(trials: Iterable[Trial]) -> list[Trial]:
    """Those that were done before all others, each group by accuracy; of equals, the earlier first."""
    return sorted(
        trials, key=lambda trial: (trial.state is not TrialOutcome.DONE, -(trial.accuracy or 0), trial.number)
    )


def best_of(trials: Iterable[Trial]) -> Trial | None:
    """The one with the highest accuracy of those that were done; of equals, the first."""
    return next((trial for trial in best_first(trials) if trial.state is TrialOutcome.DONE), None)


def n_counting(trials: Iterable[Trial]) -> int:
    """How many there are without those that were stopped."""
    return sum(trial.state is not TrialOutcome.STOPPED for trial in trials)
