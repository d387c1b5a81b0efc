"""Evaluation of a network on labelled digits: predictions, and all metrics derived from them."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.class_names import images
from digitpad.datasets.dataset import N_CLASSES, Dataset, Digits
from digitpad.errors import DigitpadError
from digitpad.evaluation.calibration import Reliability, reliability
from digitpad.evaluation.metrics import EvaluationProgress, Scores, align_labels, interval, scores_of
from digitpad.evaluation.parallel_predictor import Inference, ParallelPredictor
from digitpad.nn.arrays import Floats, Ints
from digitpad.nn.losses import softmax
from digitpad.weights.native_format import Weights

PARTS = ("test", "validation", "all")
"""Parts of a dataset that can be evaluated: the test set for final scores, the validation set for making choices."""


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class; undefined ratios are NaN.

    Attributes
    ----------
    digit, n : int
        Index of the class, and number of images with this class as their label.
    precision, recall, f1 : float
        Share of predictions of this class that are correct; share of images of this class that are predicted correctly;
        and the harmonic mean of both.
    interval : tuple of float
        95 % confidence interval of the recall.
    """

    digit: int
    n: int
    precision: float
    recall: float
    f1: float
    interval: tuple[float, float]


@dataclass(frozen=True, eq=False)
class RejectionCurve:
    """Accuracy and share of rejected digits as functions of the confidence threshold.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Confidence thresholds; predictions with at least this confidence are sure.
    accuracy : ndarray of shape (n_thresholds,)
        Accuracy of sure predictions; NaN if there are none.
    not_sure : ndarray of shape (n_thresholds,)
        Share of all digits that are not sure.
    threshold, accuracy_at_threshold, not_sure_at_threshold : float
        The network's own confidence threshold, and both values at it.
    """

    thresholds: Floats
    accuracy: Floats
    not_sure: Floats
    threshold: float
    accuracy_at_threshold: float
    not_sure_at_threshold: float


@dataclass(frozen=True, eq=False)
class Assessment:
    """Predictions of a network on digits, and all metrics.

    Attributes
    ----------
    weights : Weights
    data, part : str
        Name of the dataset, and the part that was evaluated.
    digits : Digits
    logits, probabilities : ndarray of shape (n, n_classes)
    features : ndarray of shape (n_kept, n_units)
        Activations of the last hidden layer, for all digits or, with a wide layer, for the first ones.
    predicted : ndarray of shape (n,)
    confidences : ndarray of shape (n,)
        Probability of each prediction.
    scores : Scores
    interval : tuple of float
        95 % confidence interval of the accuracy.
    classes : tuple of ClassScores
    confusion : ndarray of shape (n_classes, n_classes)
        Number of digits by true class (row) and predicted class (column).
    mistakes : ndarray of shape (n_mistakes,)
        Indices of the wrong predictions, the most confident first.
    reliability : Reliability
    rejection_curve : RejectionCurve
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
        """Names of the classes."""
        return self.weights.class_names

    @property
    def images(self) -> str:
        """Plural noun for the images: "digits", or "images" for other classes."""
        return images(self.class_names)

    @property
    def part_images(self) -> str:
        """Description of the evaluated images: "test digits", or "digits" for the whole dataset."""
        return self.images if self.part == "all" else f"{self.part} {self.images}"

    @property
    def right(self) -> NDArray[np.bool_]:
        """Boolean array of shape (n,): which predictions are correct."""
        return self.predicted == self.digits.labels

    @property
    def is_sure(self) -> NDArray[np.bool_]:
        """Boolean array of shape (n,): which predictions are sure."""
        return self.confidences >= self.weights.confidence_threshold


def assess(
    weights: Weights, dataset: Dataset, part: str, n_threads: int = 1
) -> Generator[EvaluationProgress, None, Assessment]:
    """Evaluate one part of a dataset in chunks, and yield progress after each; return the assessment.

    Parameters
    ----------
    weights : Weights
    dataset : Dataset
    part : {"test", "validation", "all"}
    n_threads : int
        Number of threads. The results are identical for any number.

    Raises
    ------
    DigitpadError
        If the network computes logits that are not finite, lacks a class of the dataset, or the part is empty.
    """
    digits = getattr(align_labels(dataset, weights), part)
    if not len(digits):
        raise DigitpadError(f"{dataset.name}: has no {part} set; evaluate all of its images")
    with ParallelPredictor(weights, n_threads) as predictor:
        inference = yield from predictor.read(digits.images)
    if not np.isfinite(inference.logits).all():
        raise DigitpadError(f"{weights.name}: computes outputs that are not finite, so it cannot be evaluated")
    return assessment_from(weights, dataset.name, part, digits, inference)


def assessment_from(weights: Weights, data: str, part: str, digits: Digits, reading: Inference) -> Assessment:
    """Compute all metrics from the logits and features of the digits."""
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
    """Return counts by true class (row) and predicted class (column), of shape (n_classes, n_classes)."""
    pairs = labels.astype(np.int64) * n_classes + predicted
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_scores(confusion: NDArray[np.int64]) -> tuple[ClassScores, ...]:
    """Return the precision, recall and F1 score of each class."""
    scores = []
    for digit, (right, n, n_predicted) in enumerate(
        zip(confusion.diagonal().tolist(), confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist(), strict=True)
    ):
        recall = right / n if n else math.nan
        scores.append(
            ClassScores(
                digit=digit,
                n=n,
                precision=right / n_predicted if n_predicted else math.nan,
                recall=recall,
                f1=2 * right / (n + n_predicted) if n + n_predicted else math.nan,
                interval=interval(recall, n) if n else (math.nan, math.nan),
            )
        )
    return tuple(scores)


def rejection_curve(
    confidences: Floats, right: NDArray[np.bool_], threshold: float, n_thresholds: int = 201
) -> RejectionCurve:
    """Compute the rejection curve for evenly spaced thresholds from 0 to 1, and both values at ``threshold``."""
    thresholds = np.linspace(0, 1, n_thresholds)
    order = np.argsort(confidences, kind="stable")
    n_right_above = np.append(np.cumsum(right[order][::-1])[::-1], 0)
    n = len(confidences)
    bounds = np.append(thresholds, threshold)
    n_not_sure = np.searchsorted(confidences[order].astype(np.float64), bounds, side="left")
    with np.errstate(invalid="ignore"):
        accuracy = n_right_above[n_not_sure] / (n - n_not_sure)
    not_sure = n_not_sure / n
    return RejectionCurve(thresholds, accuracy[:-1], not_sure[:-1], threshold, float(accuracy[-1]), float(not_sure[-1]))
