"""Honest probabilities: of what is read with 90 %, nine in ten should be right; and when an answer is sure."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import CrossEntropy

UNSURE_SHARE = 0.005
"""Of validation digits, so many are given up so that what is no digit can be told from them; of people's, 1 to 2 %."""


def fit_temperature(logits: Floats, labels: Ints) -> float:
    """The temperature T by which logits / T have the least cross-entropy (Guo et al., 2017).

    It changes no answer, only how sure the network is of it. The loss has one minimum in T, which golden sections
    find between 1 / 20 and 20.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
    labels : ndarray of shape (n_samples,)
    """
    loss = CrossEntropy()

    def at(log_temperature: float) -> float:
        return loss(logits / math.exp(log_temperature), labels)[0]

    low, high = -math.log(20), math.log(20)
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if at(left) < at(right) else (left, high)
    return math.exp((low + high) / 2)


def confidence_threshold(confidences: Floats) -> float:
    """The confidence that all but `UNSURE_SHARE` of real digits reach."""
    return float(np.quantile(confidences, UNSURE_SHARE))


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often answers of some confidence are right, in bins of equal width.

    Attributes
    ----------
    n : ndarray of shape (n_bins,)
        Answers in each bin.
    confidence, accuracy : ndarray of shape (n_bins,)
        Their mean confidence, and the share of them that was right; NaN for an empty bin.
    error : float
        By how much the two differ, on average over answers: the expected calibration error (Naeini et al., 2015).
    """

    n: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    error: float


def reliability(confidences: Floats, right: NDArray[Any], n_bins: int = 15) -> Reliability:
    """How honest confidences are.

    Parameters
    ----------
    confidences : ndarray of shape (n_samples,)
        The probability of each answer.
    right : ndarray of shape (n_samples,)
        1 or True where the answer was right.
    """
    confidences = np.asarray(confidences, np.float64)
    bins = np.minimum((confidences * n_bins).astype(int), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    sums = [np.bincount(bins, np.asarray(values, np.float64), n_bins) for values in (confidences, right)]
    with np.errstate(invalid="ignore"):
        confidence, accuracy = (values / n for values in sums)
    return Reliability(n, confidence, accuracy, float(np.abs(sums[0] - sums[1]).sum() / len(bins)))
