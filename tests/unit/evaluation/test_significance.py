import numpy as np
import pytest

from digitpad.evaluation.significance import compare, mcnemar


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (118, 30, 1.534902435956959e-13),
        (48, 20, 0.0009143907212875585),
        (20, 48, 0.0009143907212875585),
        (3, 0, 0.25),
        (0, 0, 1),
        (9, 9, 1),
        (5000, 5200, 0.04878796312682234),
    ],
)
def test_mcnemar_is_the_exact_binomial_test(only_first: int, only_second: int, p: float) -> None:
    """The p-value equals that of SciPy's ``binomtest``, for none to thousands of discordant digits."""
    assert mcnemar(only_first, only_second) == pytest.approx(p, rel=1e-9)


def test_comparison_counts_each_digit_once() -> None:
    """Each digit is in exactly one of four counts, and the difference is that of the accuracies."""
    rng = np.random.default_rng(3)
    first, second = rng.random(1000) < 0.9, rng.random(1000) < 0.8
    result = compare(first, second)
    assert result.both + result.only_first + result.only_second + result.neither == 1000
    assert result.both + result.only_first == first.sum()
    assert result.difference == pytest.approx(first.mean() - second.mean())
    assert result.interval[0] < result.difference < result.interval[1]
    assert not result.could_be_chance


def test_network_does_not_differ_from_itself() -> None:
    """A network compared with itself has no difference, an interval around 0 and a p-value of 1."""
    right = np.random.default_rng(3).random(1000) < 0.9
    result = compare(right, right)
    assert (result.difference, result.p) == (0, 1)
    assert result.could_be_chance
    assert result.interval[0] < 0 < result.interval[1]


def test_interval_covers_the_true_difference() -> None:
    """The interval covers a known difference in about 95 % of repetitions with 200 digits."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        easy = rng.random(200)
        first, second = easy < 0.95, easy + 0.05 * rng.standard_normal(200).clip(-1, 1) < 0.9
        low, high = compare(first, second).interval
        covered += low <= 0.95 - 0.9005 <= high  # noise raises a few values above 1, which no digit has
    assert 900 < covered < 990
