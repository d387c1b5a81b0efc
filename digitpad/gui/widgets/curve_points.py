"""The points of a curve, thinned to what can be seen."""

from dataclasses import dataclass

import numpy as np

from digitpad.nn.arrays import Floats

MAX_POINTS = 1000


@dataclass(frozen=True)
class Series:
    """A line's points; x in epochs."""

    x: Floats
    y: Floats


def decimate(series: Series, max_points: int = MAX_POINTS) -> Series:
    """At most ``max_points`` points that look the same: the lowest and the highest of each stretch, in order."""
    if len(series.x) <= max_points:
        return series
    finite = np.isfinite(series.y)
    series = Series(series.x[finite], series.y[finite])
    n = len(series.x)
    if n <= max_points:
        return series
    begins = np.linspace(0, n, max_points // 2, endpoint=False).astype(int)
    lengths = np.diff(begins, append=n)
    extremes = np.empty((len(begins), 2), int)
    for column, extreme in enumerate((np.minimum, np.maximum)):
        values = np.repeat(extreme.reduceat(series.y, begins), lengths)
        hits = np.flatnonzero(series.y == values)
        extremes[:, column] = hits[np.searchsorted(hits, begins)]  # the first place of each stretch where it stands
    places = np.append(np.sort(extremes, axis=1).ravel(), n - 1)
    return Series(series.x[places], series.y[places])
