"""Learning-rate schedules.

Each schedule is called with the number of completed epochs, which may be fractional, and the number of planned epochs.
It returns the factor by which the learning rate is multiplied.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[float, float], float]
"""Function that returns the factor, given the completed epochs (starting at 0) and the epochs of the whole training."""


@dataclass(frozen=True)
class Constant:
    """Constant learning rate."""

    def __call__(self, epoch: float, epochs: float) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """Learning rate multiplied by ``factor`` after every ``every`` epochs."""

    every: float = 10
    factor: float = 0.5

    def __call__(self, epoch: float, epochs: float) -> float:
        return self.factor ** math.floor(epoch / self.every + 1e-9)  # 1e-9: rounding must not delay a step


@dataclass(frozen=True)
class InverseTime:
    """Factor 1 / (1 + decay · epoch): the rate falls ever more slowly (Robbins and Monro, 1951)."""

    decay: float = 0.1

    def __call__(self, epoch: float, epochs: float) -> float:
        return 1 / (1 + self.decay * epoch)


@dataclass(frozen=True)
class Exponential:
    """Factor exp(-decay · epoch): each epoch reduces the rate by the same fraction."""

    decay: float = 0.1

    def __call__(self, epoch: float, epochs: float) -> float:
        return math.exp(-self.decay * epoch)


@dataclass(frozen=True)
class Cosine:
    """Decay from 1 to 0 along half a cosine (Loshchilov and Hutter, 2017, without restarts)."""

    def __call__(self, epoch: float, epochs: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))


@dataclass(frozen=True)
class OneCycle:
    """Rise from 1 / 25 to 1 in the first 30 %, then fall to almost 0, both along half a cosine (Smith and Topin, 2018).

    The peak rate may be several times the rate that would be stable from the start. Momentum does not change.
    """

    rise: float = 0.3
    begin: float = 1 / 25
    end: float = 1e-4

    def __call__(self, epoch: float, epochs: float) -> float:
        progress = min(1.0, epoch / epochs)
        if progress < self.rise:
            return self._interpolate(self.begin, 1.0, progress / self.rise)
        return self._interpolate(1.0, self.end, (progress - self.rise) / (1 - self.rise))

    @staticmethod
    def _interpolate(begin: float, end: float, fraction: float) -> float:
        return end + (begin - end) * 0.5 * (1 + math.cos(math.pi * fraction))


@dataclass(frozen=True)
class WarmUp:
    """Linear warm-up: the factor of ``then``, scaled from 0 to 1 over the first ``epochs`` (Goyal et al., 2017)."""

    epochs: float
    then: Schedule

    def __call__(self, epoch: float, epochs: float) -> float:
        return min(1.0, epoch / self.epochs) * self.then(epoch, epochs)
