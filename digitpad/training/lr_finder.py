"""Learning-rate finder: a range test that tries rising learning rates in one short training run."""

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
_RISE = 4.0  # the test ends when the loss exceeds its minimum by this factor


@dataclass(frozen=True, eq=False)
class RangeTestResult:
    """Rates and losses of a range test so far.

    Attributes
    ----------
    rates, losses : ndarray of float64, shape (n_tried,)
        Learning rate of each step, and the smoothed loss before it.
    n_planned : int
        Steps that the test takes unless the loss diverges first.
    """

    rates: Floats
    losses: Floats
    n_planned: int

    @property
    def suggestion(self) -> float | None:
        """Suggested learning rate: where the loss fell most steeply over log(rate).

        Rounded to two significant figures; None if the loss has not fallen by 10 % yet.
        """
        if len(self.rates) < 10 or not self.losses.min() < 0.9 * self.losses[0]:
            return None
        lowest = int(self.losses.argmin())
        slope = np.gradient(self.losses[: lowest + 1], np.log(self.rates[: lowest + 1]))
        rate = float(self.rates[int(slope.argmin())])
        return float(f"{rate:.1e}")


def range_test(recipe: Recipe, dataset: Dataset, n_steps: int = 300) -> Generator[RangeTestResult, None, None]:
    """Train for ``n_steps`` while the learning rate rises geometrically from `LOWEST` to `HIGHEST`.

    Yields the result so far after each step, and ends early when the loss diverges. The method is that of Smith (2017,
    Cyclical learning rates for training neural networks); the loss is an exponential moving average with bias
    correction.
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
