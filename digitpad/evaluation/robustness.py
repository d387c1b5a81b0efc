"""How accuracy falls as digits are turned, moved, resized, drawn with other pens, or covered with noise."""

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitpad.datasets.augmentation.distortions import Images, Noise, Thickness, Warp
from digitpad.datasets.dataset import Digits
from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.evaluation.parallel_predictor import ParallelPredictor, scale_progress
from digitpad.nn.arrays import Floats
from digitpad.weights.native_format import Weights

N_SAMPLE = 1000
"""Digits that are read for each amount, evenly spread over all: enough for ±2 %, in a tenth of the time."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """A way in which digits are changed, by how much, and how it is done."""

    name: str
    unit: str
    amounts: tuple[float, ...]
    made: Callable[[Images, float], Images]


@dataclass(frozen=True, eq=False)
class RobustnessCurve:
    """Accuracy of shape (n_amounts,) over the amounts of one change."""

    name: str
    unit: str
    amounts: Floats
    accuracy: Floats


@dataclass(frozen=True, eq=False)
class Robustness:
    """How accuracy falls with each change, on ``n`` digits."""

    n: int
    curves: tuple[RobustnessCurve, ...]


def robustness(weights: Weights, digits: Digits, n_threads: int = 1) -> Generator[EvaluationProgress, None, Robustness]:
    """Read changed digits, pausing after each chunk; the generator's value is the accuracies."""
    sample = evenly_spaced(len(digits), N_SAMPLE)
    images, labels = digits.images[sample], digits.labels[sample]
    total = n_readings(len(digits))
    done = 0
    curves = []
    with ParallelPredictor(weights, n_threads) as readers:
        for change in CHANGES:
            accuracy = []
            for amount in change.amounts:
                work = readers.read(change.made(images, amount))
                reading = yield from scale_progress(work, done, total)
                done += len(sample)
                accuracy.append(float((reading.logits.argmax(axis=1) == labels).mean()))
            curves.append(RobustnessCurve(change.name, change.unit, np.array(change.amounts), np.array(accuracy)))
    return Robustness(len(sample), tuple(curves))


def n_readings(n_digits: int) -> int:
    """How many digits `robustness` reads, given that many."""
    return min(n_digits, N_SAMPLE) * sum(len(change.amounts) for change in CHANGES)


def evenly_spaced(n: int, n_wanted: int) -> NDArray[np.int64]:
    """At most ``n_wanted`` places of 0..n-1, evenly spread."""
    n_wanted = min(n, n_wanted)
    return np.arange(n_wanted) * n // n_wanted


def _turned(images: Images, degrees: float) -> Images:
    return Warp(*_STILL).turned(images, angle=math.radians(degrees))


def _moved(images: Images, distance_px: float) -> Images:
    """A quarter of the digits each to the left, up, to the right, and down."""
    out = np.empty_like(images)
    for k, (dy, dx) in enumerate(((0, 1), (1, 0), (0, -1), (-1, 0))):
        out[k::4] = Warp(*_STILL).turned(images[k::4], dy=dy * distance_px, dx=dx * distance_px)
    return out


def _resized(images: Images, zoom: float) -> Images:
    return Warp(*_STILL).turned(images, zoom=zoom)


def _drawn_with(images: Images, wider_px: float) -> Images:
    return Thickness(abs(wider_px)).widened(images, np.full((len(images), 1, 1), wider_px, np.float32))


def _noisy(images: Images, share: float) -> Images:
    """The same noise each time, more or less of it."""
    return Noise(share).noisy(images, np.full((1, 1, 1), 255 * share, np.float32), np.random.default_rng(1))


_STILL = (0.0, 0.0, 0.0, 0.0, 0.0)

CHANGES = (
    Distortion("Rotation", "°", (-90, -75, -60, -45, -30, -15, 0, 15, 30, 45, 60, 75, 90), _turned),
    Distortion("Shift", "px", (0, 1, 2, 3, 4, 5, 6, 7, 8), _moved),
    Distortion("Scale", "×", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4), _resized),
    Distortion("Stroke", "px", (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2), _drawn_with),
    Distortion("Noise", "", (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5), _noisy),
)
"""Turned, clockwise above 0; moved, to the four sides; resized; wider strokes, or narrower; standard deviation."""
