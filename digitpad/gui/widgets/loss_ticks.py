"""Ticks of logarithmic loss axes, the same wherever losses are drawn."""

from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

_FEW = 50  # a range with a smaller ratio shows hardly a power of ten


def set_loss_ticks(axis: Axis, low: float, high: float) -> None:
    """Mark the powers of ten between two limits; in a short range also twice and five times these."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < _FEW else (1,), numticks=8))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())
