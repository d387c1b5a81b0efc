"""What a training tells as it goes: plain records, frozen, that any thread may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from digitpad.evaluation.metrics import EvaluationProgress, Scores


@dataclass(frozen=True, slots=True)
class StepDone:
    """A batch was learnt from; ``loss`` is that of the batch before the step."""

    step: int
    loss: float
    n_images: int


@dataclass(frozen=True)
class EpochDone:
    """A pass is over, or as epoch 0 the first about to begin: scores on validation, and on as many training digits."""

    epoch: int
    step: int
    training: Scores
    validation: Scores
    is_best: bool


@dataclass(frozen=True)
class Result:
    """A finished training: the best epoch's weights are restored, and scored on the test set, once.

    Attributes
    ----------
    confidence_threshold : float or None
        The confidence from which an answer is sure, if the recipe asks for calibration.
    """

    best_epoch: int
    epochs: int
    validation: Scores
    test: Scores
    seconds: float
    confidence_threshold: float | None = None


@dataclass(frozen=True)
class SettingChange:
    """Settings, by their dotted keys, that became others after ``step`` steps."""

    step: int
    settings: dict[str, Any]


Progress = StepDone | EvaluationProgress | EpochDone | Result


def epoch_from(values: Mapping[str, Any]) -> EpochDone:
    """The record that `dataclasses.asdict` made these values of."""
    scores = {part: Scores(**values[part]) for part in ("training", "validation")}
    return EpochDone(**{**values, **scores})
