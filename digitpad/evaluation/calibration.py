"""Calibration of probabilities, and the confidence threshold for sure predictions.

A network is perfectly calibrated if 90 % of all predictions with a confidence of 90 % are correct, and likewise for
every other confidence.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import CrossEntropy

UNSURE_SHARE = 0.008
"""Share of validation digits below the confidence threshold, which serves to reject images that show no digit.

Of digits drawn by users, 0.5 to 2.5 % are below it.
"""


def fit_temperature(logits: Floats, labels: Ints) -> float:
    """Return the temperature T for which logits / T have the lowest cross-entropy (Guo et al., 2017).

    The temperature changes the confidence of each prediction, but not the prediction itself. As a function of T, the
    loss has a single minimum, which golden-section search finds between 1 / 20 and 20.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
    labels : ndarray of shape (n_samples,)
    """
    loss = CrossEntropy()

    def loss_at(log_temperature: float) -> float:
        with np.errstate(over="ignore", invalid="ignore"):  # as in `evaluation.metrics.scores_of`
            return loss(logits / math.exp(log_temperature), labels)[0]

    low, high = -math.log(20), math.log(20)
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss_at(left) < loss_at(right) else (left, high)
    return math.exp((low + high) / 2)


def confidence_threshold(confidences: Floats) -> float:
    """Return the confidence that all digits reach, except for a share of `UNSURE_SHARE`."""
    return float(np.quantile(confidences, UNSURE_SHARE))


@dataclass(frozen=True, eq=False)
class Reliability:
    """Reliability diagram: accuracy of predictions by confidence, in bins of equal width.

    Attributes
    ----------
    n : ndarray of shape (n_bins,)
        Number of predictions in each bin.
    confidence, accuracy : ndarray of shape (n_bins,)
        Mean confidence and accuracy of the predictions in each bin; NaN for an empty bin.
    error : float
        Expected calibration error: the mean gap between confidence and accuracy, weighted by the number of predictions
        in each bin (Naeini et al., 2015).
    """

    n: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    error: float


def reliability(confidences: Floats, right: NDArray[Any], n_bins: int = 15) -> Reliability:
    """Compute the reliability diagram and the expected calibration error.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples,)
        The probability of each prediction.
    right : ndarray of shape (n_samples,)
        1 or True for each correct prediction.
    n_bins : int
        Number of bins.
    """
    confidences = np.asarray(confidences, np.float64)
    bins = np.minimum((confidences * n_bins).astype(int), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, np.asarray(values, np.float64), n_bins) for values in (confidences, right)]
    with np.errstate(invalid="ignore"):
        confidence, accuracy = (values / n for values in sums)
    return Reliability(n, confidence, accuracy, float(np.abs(sums[0] - sums[1]).sum() / len(bins)))
