"""Differences of two networks on the same images, per class and per cell of the confusion matrix."""

import math

import numpy as np
from numpy.typing import NDArray

from digitpad.evaluation.assessment import Assessment, ClassScores


def scores_by_name(assessment: Assessment) -> dict[str, ClassScores]:
    """Return the scores of each class by its name, as two networks may have other classes or another order."""
    return dict(zip(assessment.class_names, assessment.classes, strict=True))


def confusion_in_order_of(first: Assessment, other: Assessment) -> NDArray[np.int64]:
    """Return the confusion matrix of ``other`` in the order of the classes of ``first``; unknown classes count 0."""
    place = {name: index for index, name in enumerate(other.class_names)}
    n = len(first.class_names)
    counts = np.zeros((n, n), np.int64)
    known = [(index, place[name]) for index, name in enumerate(first.class_names) if name in place]
    for row, other_row in known:
        for column, other_column in known:
            counts[row, column] = other.confusion[other_row, other_column]
    return counts


def format_difference(value: float) -> str:
    """Return a difference of two shares in points with its sign, as in ``+0.21`` and ``−0.21``; – if it is unknown."""
    if math.isnan(value):
        return "–"
    points = round(100 * value, 2)
    return "0.00" if not points else f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def format_signed(count: int) -> str:
    """Return a difference of two counts with its sign."""
    return f"{count:+,}".replace("-", "\N{MINUS SIGN}")
