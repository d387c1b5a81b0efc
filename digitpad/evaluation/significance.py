"""Comparison of two networks on the same digits: McNemar's test and an interval for the difference."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05
"""Differences with a p-value below this level are significant."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of two networks on the same digits.

    Attributes
    ----------
    both, only_first, only_second, neither : int
        Number of digits that both networks, only one of them, or neither predicts correctly.
    difference : float
        Accuracy of the first network minus that of the second.
    interval : tuple of float
        95 % confidence interval of the difference.
    p : float
        Probability of a difference at least as large if both networks were equally accurate.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    difference: float
    interval: tuple[float, float]
    p: float

    @property
    def could_be_chance(self) -> bool:
        """Whether the difference is not statistically significant."""
        return self.p >= SIGNIFICANT


def compare(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Comparison:
    """Compare two networks by which of the same digits each predicts correctly; both arrays have the shape (n,)."""
    n = len(first)
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    return Comparison(
        both=int((first & second).sum()),
        only_first=only_first,
        only_second=only_second,
        neither=int((~first & ~second).sum()),
        difference=(only_first - only_second) / n,
        interval=_difference_interval(only_first, only_second, n),
        p=mcnemar(only_first, only_second),
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    If both networks are equally accurate, each digit that only one of them predicts correctly belongs to either with
    probability 1/2. The p-value is twice the binomial probability of at most ``min(only_first, only_second)`` such
    digits. The sum is computed in integers, so large counts need no approximation.
    """
    n, smaller = only_first + only_second, min(only_first, only_second)
    combinations = total = 1
    for k in range(smaller):
        combinations = combinations * (n - k) // (k + 1)
        total += combinations
    return min(1.0, 2 * total / 2**n)


def _difference_interval(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """Return Wald's 95 % interval of a paired difference, with half a digit added to each of the four counts.

    This adjustment (Agresti and Min, 2005) keeps the coverage near 95 % if few digits differ.
    """
    z = 1.959964
    middle = (only_first - only_second) / (n + 2)
    variance = (only_first + only_second + 1) / (n + 2) - middle**2
    spread = z * math.sqrt(max(0.0, variance) / (n + 2))
    return max(-1.0, middle - spread), min(1.0, middle + spread)
