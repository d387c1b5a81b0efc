"""Whether one set of weights reads better than another, or whether the difference could be chance."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05
"""A difference that chance makes more seldom than this is taken for one."""


@dataclass(frozen=True)
class Comparison:
    """Two sets of weights on the same digits.

    Attributes
    ----------
    both, only_first, only_second, neither : int
        How many digits each read right.
    difference : float
        The first one's accuracy less the second one's.
    interval : tuple of float
        Its 95 % interval.
    p : float
        How often chance alone would make a difference as large or larger, if both were equally good.
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
        """Whether the difference shows nothing."""
        return self.p >= SIGNIFICANT


def compare(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Comparison:
    """Compare which of the same digits two sets of weights read right, each of shape (n,)."""
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
    """The two-sided p-value of McNemar's exact test.

    Of the digits that just one of two reads right, each is the better one's at even odds if both are equally good:
    twice the binomial probability of as few, or fewer, as the lesser of the two has. Summed in whole numbers, without
    rounding, so that no approximation is needed for many.
    """
    n, few = only_first + only_second, min(only_first, only_second)
    ways = total = 1
    for k in range(few):
        ways = ways * (n - k) // (k + 1)
        total += ways
    return min(1.0, 2 * total / 2**n)


def _difference_interval(only_first: int, only_second: int, n: int) -> tuple[float, float]:
    """Wald's 95 % interval of a paired difference with half a digit added to each of the four counts.

    Agresti and Min (2005), whose addition keeps it honest where few digits differ.
    """
    z = 1.959964
    middle = (only_first - only_second) / (n + 2)
    variance = (only_first + only_second + 1) / (n + 2) - middle**2
    spread = z * math.sqrt(max(0.0, variance) / (n + 2))
    return max(-1.0, middle - spread), min(1.0, middle + spread)
