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
    """What scipy's ``binomtest`` gives, from no discordant digit to thousands."""
    assert mcnemar(only_first, only_second) == pytest.approx(p, rel=1e-9)


def test_comparison_counts_each_digit_once() -> None:
    """Read right by both, by one alone, or by neither; the difference is that of the accuracies."""
    rng = np.random.default_rng(3)
    first, second = rng.random(1000) < 0.9, rng.random(1000) < 0.8
    made = compare(first, second)
    assert made.both + made.only_first + made.only_second + made.neither == 1000
    assert made.both + made.only_first == first.sum()
    assert made.difference == pytest.approx(first.mean() - second.mean())
    assert made.interval[0] < made.difference < made.interval[1]
    assert not made.could_be_chance


def test_weights_do_not_differ_from_themselves() -> None:
    """No difference, an interval about 0, and nothing that chance would not make."""
    right = np.random.default_rng(3).random(1000) < 0.9
    made = compare(right, right)
    assert (made.difference, made.p) == (0, 1)
    assert made.could_be_chance
    assert made.interval[0] < 0 < made.interval[1]


def test_interval_covers_the_true_difference() -> None:
    """In about 95 of 100 repetitions of a test, here of 200 digits with a known difference."""
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        easy = rng.random(200)
        first, second = easy < 0.95, easy + 0.05 * rng.standard_normal(200).clip(-1, 1) < 0.9
        low, high = compare(first, second).interval
        covered += low <= 0.95 - 0.9005 <= high  # noise moves a few beyond 1, where nothing is
    assert 900 < covered < 990
