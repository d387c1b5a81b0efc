"""Schedules: by what factor the learning rate is multiplied, as epochs go by.

Each is called with the epochs done so far, as a fraction too, and the epochs planned.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[float, float], float]
"""The factor, given the epochs done, from 0, and the epochs that the whole training takes."""


@dataclass(frozen=True)
class Constant:
    """The same rate throughout."""

    def __call__(self, epoch: float, epochs: float) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """The rate is multiplied by ``factor`` after every ``every`` epochs."""

    every: float = 10
    factor: float = 0.5

    def __call__(self, epoch: float, epochs: float) -> float:
        return self.factor ** math.floor(epoch / self.every + 1e-9)  # lest rounding delay a step


@dataclass(frozen=True)
class InverseTime:
    """1 / (1 + decay · epoch): long steps at first, and ever slower in becoming shorter (Robbins and Monro, 1951)."""

    decay: float = 0.1

    def __call__(self, epoch: float, epochs: float) -> float:
        return 1 / (1 + self.decay * epoch)


@dataclass(frozen=True)
class Exponential:
    """exp(-decay · epoch): each epoch takes the same share of the rate."""

    decay: float = 0.1

    def __call__(self, epoch: float, epochs: float) -> float:
        return math.exp(-self.decay * epoch)


@dataclass(frozen=True)
class Cosine:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter, 2017, without restarts)."""

    def __call__(self, epoch: float, epochs: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))


@dataclass(frozen=True)
class OneCycle:
    """Up from 1 / 25 to 1 in the first 30 %, then down to almost 0, both along half a cosine (Smith and Topin, 2018).

    The rate in the middle may be several times what would be stable from the start. Momentum stays as it is.
    """

    rise: float = 0.3
    begin: float = 1 / 25
    end: float = 1e-4

    def __call__(self, epoch: float, epochs: float) -> float:
        progress = min(1.0, epoch / epochs)
        if progress < self.rise:
            return self._between(self.begin, 1.0, progress / self.rise)
        return self._between(1.0, self.end, (progress - self.rise) / (1 - self.rise))

    @staticmethod
    def _between(begin: float, end: float, share: float) -> float:
        return end + (begin - end) * 0.5 * (1 + math.cos(math.pi * share))


@dataclass(frozen=True)
class WarmUp:
    """``then``, whose first ``epochs`` are damped by a factor that rises evenly from 0 to 1 (Goyal et al., 2017)."""

    epochs: float
    then: Schedule

    def __call__(self, epoch: float, epochs: float) -> float:
        return min(1.0, epoch / self.epochs) * self.then(epoch, epochs)
