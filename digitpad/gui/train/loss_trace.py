"""Losses of a training run of any length in bounded memory, for the loss curve and the recent mean."""

from collections import deque
from collections.abc import Iterable

import numpy as np

from digitpad.nn.arrays import Floats

MAX_BUCKETS = 1024


class LossTrace:
    """Lowest and highest loss of each bucket of steps; buckets double in length whenever there are too many.

    Parameters
    ----------
    n_recent : int
        Number of steps that `recent_mean` averages.
    """

    def __init__(self, n_recent: int = 1) -> None:
        self._recent: deque[float] = deque(maxlen=n_recent)
        self._buckets = np.empty((MAX_BUCKETS, 2))  # lowest and highest
        self._n_steps = 0
        self._width = 1  # steps per bucket

    def __len__(self) -> int:
        """Return the number of steps so far."""
        return self._n_steps

    @property
    def recent_mean(self) -> float:
        """Mean loss of the last ``n_recent`` steps; 0 before the first step."""
        return sum(self._recent) / max(1, len(self._recent))

    def extend(self, losses: Iterable[float]) -> None:
        """Add the losses of further steps."""
        for loss in losses:
            self._recent.append(loss)
            if self._n_steps == MAX_BUCKETS * self._width:
                self._halve()
            place, first = divmod(self._n_steps, self._width)
            bucket = self._buckets[place]
            if not first:
                bucket[:] = loss
            elif loss < bucket[0]:
                bucket[0] = loss
            elif loss > bucket[1]:
                bucket[1] = loss
            self._n_steps += 1

    def points(self) -> tuple[Floats, Floats]:
        """Return steps and losses of the curve in order: the lowest loss of each bucket, then its highest."""
        n_buckets = -(-self._n_steps // self._width)
        steps = (np.arange(n_buckets) + 0.5) * self._width
        return np.repeat(np.minimum(steps, self._n_steps), 2), self._buckets[:n_buckets].ravel().copy()

    def _halve(self) -> None:
        """Merge neighbouring buckets to make room for more."""
        pairs = self._buckets.reshape(-1, 2, 2)
        half = MAX_BUCKETS // 2
        self._buckets[:half] = np.stack([pairs[..., 0].min(axis=1), pairs[..., 1].max(axis=1)], axis=1)
        self._width *= 2
