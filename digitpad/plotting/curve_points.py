"""Downsampling of curves for display."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats

MAX_POINTS = 1000


@dataclass(frozen=True)
class Series:
    """Points of a line; x in epochs."""

    x: Floats
    y: Floats


def decimate(series: Series, max_points: int = MAX_POINTS) -> Series:
    """Reduce a line to at most ``max_points`` points that look the same: the minimum and maximum of each interval."""
    if len(series.x) <= max_points:
        return series
    finite = np.isfinite(series.y)
    series = Series(series.x[finite], series.y[finite])
    n = len(series.x)
    if n <= max_points:
        return series
    starts = np.linspace(0, n, max_points // 2, endpoint=False).astype(int)
    lengths = np.diff(starts, append=n)
    extremes = np.empty((len(starts), 2), int)
    for column, extreme in enumerate((np.minimum, np.maximum)):
        values = np.repeat(extreme.reduceat(series.y, starts), lengths)
        hits = np.flatnonzero(series.y == values)
        extremes[:, column] = hits[np.searchsorted(hits, starts)]  # first position of the extreme in each interval
    indices = np.append(np.sort(extremes, axis=1).ravel(), n - 1)
    return Series(series.x[indices], series.y[indices])
