"""Progress records of a training run: frozen dataclasses that are safe to pass between threads."""

from dataclasses import dataclass
from typing import Any

from digitpad.evaluation.metrics import EvaluationProgress, Scores
from digitpad.formats import json_values


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


def epoch_from_dict(values: Any) -> EpochDone:
    """Return the record for these values, the inverse of `dataclasses.asdict`.

    Raises
    ------
    KeyError, ValueError
        If a value is missing or invalid.
    """
    values = json_values.mapping(values)
    if type(values["is_best"]) is not bool:
        raise ValueError("is_best: expected true or false")
    return EpochDone(
        json_values.whole_number(values["epoch"]),
        json_values.whole_number(values["step"]),
        _scores(values["training"]),
        _scores(values["validation"]),
        is_best=values["is_best"],
    )


def change_from_dict(values: Any) -> SettingChange:
    """Return the change for these values, the inverse of `dataclasses.asdict`; the settings are not checked.

    Raises
    ------
    KeyError, ValueError
        If a value is missing or invalid.
    """
    values = json_values.mapping(values)
    return SettingChange(json_values.whole_number(values["step"]), dict(json_values.mapping(values["settings"])))


def _scores(values: Any) -> Scores:
    values = json_values.mapping(values)
    loss = values["loss"]
    if type(loss) not in (int, float):  # NaN and infinity are the losses of a network that diverged
        raise ValueError("loss: expected a number")
    return Scores(json_values.number(values["accuracy"], 0, 1), float(loss), json_values.whole_number(values["n"]))
