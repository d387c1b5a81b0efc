"""The learning-rate range test: which rates a network learns at, found by trying them all in one short training."""

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from digitpad.datasets.dataset import Dataset
from digitpad.nn.arrays import Floats
from digitpad.training.recipe import Recipe
from digitpad.training.trainer import Trainer

LOWEST, HIGHEST = 1e-6, 10.0
_SMOOTHING = 0.9
_RISE = 4.0  # a loss so many times the lowest has left all that can be learnt from


@dataclass(frozen=True, eq=False)
class RangeTestResult:
    """What a range test has come to.

    Attributes
    ----------
    rates, losses : ndarray of float64, shape (n_tried,)
        Of each step: its rate, and the smoothed loss before it.
    n_planned : int
        Steps, if the loss does not run away before.
    """

    rates: Floats
    losses: Floats
    n_planned: int

    @property
    def suggestion(self) -> float | None:
        """The rate at which the loss fell most steeply over its logarithm, to two figures; None while it has not."""
        if len(self.rates) < 10 or not self.losses.min() < 0.9 * self.losses[0]:
            return None
        lowest = int(self.losses.argmin())
        slope = np.gradient(self.losses[: lowest + 1], np.log(self.rates[: lowest + 1]))
        rate = float(self.rates[int(slope.argmin())])
        return float(f"{rate:.1e}")


def range_test(recipe: Recipe, dataset: Dataset, n_steps: int = 300) -> Generator[RangeTestResult, None, None]:
    """Train for ``n_steps`` while the rate rises from `LOWEST` to `HIGHEST`, each by the same factor; yield it growing.

    It ends early where the loss has run away. As in Smith (2017, Cyclical learning rates for training neural networks),
    with the loss smoothed exponentially, and freed from the pull of its start.
    """
    trainer = Trainer(recipe, dataset)
    rates = np.geomspace(LOWEST, HIGHEST, n_steps)
    losses: list[float] = []
    mean, best = 0.0, math.inf
    for step, loss in enumerate(trainer.try_rates(rates), start=1):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        losses.append(mean / (1 - _SMOOTHING**step))
        best = min(best, losses[-1])
        yield RangeTestResult(rates[:step], np.array(losses), n_steps)
        if losses[-1] > _RISE * best:
            return
