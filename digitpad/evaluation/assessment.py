"""What weights make of labelled digits: the answers, and every figure that follows from them."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import images
from digitpad.datasets.dataset import N_CLASSES, Dataset, Digits
from digitpad.errors import DigitpadError
from digitpad.evaluation.calibration import Reliability, reliability
from digitpad.evaluation.metrics import EvaluationProgress, Scores, interval, relabelled, scores_of
from digitpad.evaluation.parallel_predictor import Inference, ParallelPredictor
from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import softmax
from digitpad.weights.native_format import Weights

PARTS = ("test", "validation")
"""The parts of a data set that can be read: the last word, or what choices are made by."""


@dataclass(frozen=True)
class ClassScores:
    """How well one class is read; a share of nothing is NaN.

    Attributes
    ----------
    digit, n : int
        Its place among the classes, and how many there are of it.
    precision, recall, f1 : float
        The share of answers of this class that are right; the share of the class that is read right; and the harmonic
        mean of both.
    interval : tuple of float
        The 95 % interval of the recall.
    """

    digit: int
    n: int
    precision: float
    recall: float
    f1: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class RejectionCurve:
    """What would come of other bounds between sure and not sure.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        An answer is sure from this confidence on.
    accuracy : ndarray of shape (n_thresholds,)
        The share of sure answers that are right; NaN where there are none.
    not_sure : ndarray of shape (n_thresholds,)
        The share of all digits that is given up.
    bound, accuracy_at_threshold, not_sure_at_threshold : float
        The weights' own bound, and what it gives.
    """

    thresholds: Floats
    accuracy: Floats
    not_sure: Floats
    bound: float
    accuracy_at_threshold: float
    not_sure_at_threshold: float


@dataclass(frozen=True, eq=False)
class Assessment:
    """Weights on digits.

    Attributes
    ----------
    weights : Weights
    data, part : str
        The data set's name, and which of its parts was read.
    digits : Digits
    logits, probabilities : ndarray of shape (n, n_classes)
    features : ndarray of shape (n_kept, n_units)
        Of the last hidden layer, for the first digits, or for all.
    predicted : ndarray of shape (n,)
    confidences : ndarray of shape (n,)
        The probability of each answer.
    scores : Scores
    interval : tuple of float
        The 95 % interval of the accuracy.
    classes : tuple of ClassScores
    confusion : ndarray of shape (n_classes, n_classes)
        How often the digit of a row was read as that of a column.
    mistakes : ndarray of shape (n_mistakes,)
        Places of the digits read wrongly, the most confident first.
    reliability : Reliability
    sure_curve : SureCurve
    """

    weights: Weights
    data: str
    part: str
    digits: Digits
    logits: Floats
    probabilities: Floats
    features: Floats
    predicted: Ints
    confidences: Floats
    scores: Scores
    interval: tuple[float, float]
    classes: tuple[ClassScores, ...]
    confusion: NDArray[np.int64]
    mistakes: Ints
    reliability: Reliability
    rejection_curve: RejectionCurve

    @property
    def class_names(self) -> tuple[str, ...]:
        """What labels and answers stand for."""
        return self.weights.class_names

    @property
    def images(self) -> str:
        """What was read: digits, or images of other classes."""
        return images(self.class_names)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which digits are read right."""
        return self.predicted == self.digits.labels

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """Which answers are sure."""
        return self.confidences >= self.weights.confidence_threshold


def assess(
    weights: Weights, dataset: Dataset, part: str, n_threads: int = 1
) -> Generator[EvaluationProgress, None, Assessment]:
    """Read a part of a data set, pausing after each chunk; the generator's value is the assessment.

    Parameters
    ----------
    weights : Weights
    dataset : Dataset
    part : {"test", "validation"}
    n_threads : int
        How many may read; the figures are the same for any number.

    Raises
    ------
    DigitpadError
        If the weights compute numbers that are not finite, or do not know the set's classes.
    """
    digits = getattr(relabelled(dataset, weights), part)
    with ParallelPredictor(weights, n_threads) as readers:
        reading = yield from readers.read(digits.images)
    if not np.isfinite(reading.logits).all():
        raise DigitpadError(f"{weights.name}: computes numbers that are not finite")
    return assessment_from(weights, dataset.name, part, digits, reading)


def assessment_from(weights: Weights, data: str, part: str, digits: Digits, reading: Inference) -> Assessment:
    """The figures that follow from a reading."""
    labels = digits.labels
    probabilities = softmax(reading.logits)
    predicted = reading.logits.argmax(axis=1).astype(np.uint8)
    confidences = probabilities.max(axis=1)
    right = predicted == labels
    scores = scores_of(reading.logits, labels)
    confusion = confusion_matrix(labels, predicted, len(weights.class_names))
    wrong = np.flatnonzero(~right)
    return Assessment(
        weights=weights,
        data=data,
        part=part,
        digits=digits,
        logits=reading.logits,
        probabilities=probabilities,
        features=reading.features,
        predicted=predicted,
        confidences=confidences,
        scores=scores,
        interval=interval(scores.accuracy, scores.n),
        classes=class_scores(confusion),
        confusion=confusion,
        mistakes=wrong[np.argsort(-confidences[wrong], kind="stable")],
        reliability=reliability(confidences, right),
        rejection_curve=rejection_curve(confidences, right, weights.confidence_threshold),
    )


def confusion_matrix(labels: Ints, predicted: Ints, n_classes: int = N_CLASSES) -> NDArray[np.int64]:
    """How often the digit of a row was read as that of a column, of shape (n_classes, n_classes)."""
    pairs = labels.astype(np.int64) * n_classes + predicted
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of each class."""
    scores = []
    for digit, (right, n, answers) in enumerate(
        zip(confusion.diagonal().tolist(), confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist(), strict=True)
    ):
        recall = right / n if n else math.nan
        scores.append(
            ClassScores(
                digit=digit,
                n=n,
                precision=right / answers if answers else math.nan,
                recall=recall,
                f1=2 * right / (n + answers) if n + answers else math.nan,
                interval=interval(recall, n) if n else (math.nan, math.nan),
            )
        )
    return tuple(scores)


def rejection_curve(
    confidences: Floats, right: NDArray[np.bool_], bound: float, n_thresholds: int = 201
) -> RejectionCurve:
    """Accuracy of sure answers, and how many are not sure, for bounds from 0 to 1, and for ``bound``."""
    thresholds = np.linspace(0, 1, n_thresholds)
    order = np.argsort(confidences, kind="stable")
    n_right_above = np.append(np.cumsum(right[order][::-1])[::-1], 0)
    n = len(confidences)
    bounds = np.append(thresholds, bound)
    n_given_up = np.searchsorted(confidences[order].astype(np.float64), bounds, side="left")
    with np.errstate(invalid="ignore"):
        accuracy = n_right_above[n_given_up] / (n - n_given_up)
    not_sure = n_given_up / n
    return RejectionCurve(thresholds, accuracy[:-1], not_sure[:-1], bound, float(accuracy[-1]), float(not_sure[-1]))
