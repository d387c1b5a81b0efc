"""Progress records of a training run: frozen dataclasses that are safe to pass between threads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from digitpad.evaluation.metrics import EvaluationProgress, Scores


@dataclass(frozen=True, slots=True)
class StepDone:
    """One optimisation step has completed; ``loss`` is the loss of its batch before the step."""

    step: int
    loss: float
    n_images: int


@dataclass(frozen=True)
class EpochDone:
    """An epoch has ended; epoch 0 is the untrained network.

    ``validation`` holds the scores on the validation set, ``training`` those on as many training digits.
    """

    epoch: int
    step: int
    training: Scores
    validation: Scores
    is_best: bool


@dataclass(frozen=True)
class Result:
    """Final result of a training run: the weights of the best epoch, scored once on the test set.

    Attributes
    ----------
    confidence_threshold : float or None
        Predictions below this confidence are "not sure"; None if the recipe does not ask for calibration.
    """

    best_epoch: int
    epochs: int
    validation: Scores
    test: Scores
    seconds: float
    confidence_threshold: float | None = None


@dataclass(frozen=True)
class SettingChange:
    """A change of settings, by dotted key, after ``step`` steps."""

    step: int
    settings: dict[str, Any]


Progress = StepDone | EvaluationProgress | EpochDone | Result


def epoch_from_dict(values: Mapping[str, Any]) -> EpochDone:
    """Return the record for these values, the inverse of `dataclasses.asdict`."""
    scores = {part: Scores(**values[part]) for part in ("training", "validation")}
    return EpochDone(**{**values, **scores})
