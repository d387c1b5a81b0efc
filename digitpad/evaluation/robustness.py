"""Robustness test: accuracy on rotated, shifted, scaled, thickened and noisy digits."""

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
"""Digits evaluated per amount, evenly spaced over the dataset: gives ±2 % in a tenth of the time for 10,000 digits."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """Kind of distortion: its name, unit and amounts, and the function that applies it to images."""

    name: str
    unit: str
    amounts: tuple[float, ...]
    apply: Callable[[Images, float], Images]


@dataclass(frozen=True, eq=False)
class RobustnessCurve:
    """Accuracy for each amount of one distortion; both arrays have the shape (n_amounts,)."""

    name: str
    unit: str
    amounts: Floats
    accuracy: Floats


@dataclass(frozen=True, eq=False)
class Robustness:
    """Result of a robustness test on ``n`` digits: one curve for each distortion."""

    n: int
    curves: tuple[RobustnessCurve, ...]


def robustness(weights: Weights, digits: Digits, n_threads: int = 1) -> Generator[EvaluationProgress, None, Robustness]:
    """Evaluate distorted digits in chunks, and yield progress after each; return the accuracies."""
    sample = evenly_spaced(len(digits), N_SAMPLE)
    images, labels = digits.images[sample], digits.labels[sample]
    total = n_readings(len(digits))
    done = 0
    curves = []
    with ParallelPredictor(weights, n_threads) as predictor:
        for change in DISTORTIONS:
            accuracy = []
            for amount in change.amounts:
                work = predictor.read(change.apply(images, amount))
                inference = yield from scale_progress(work, done, total)
                done += len(sample)
                accuracy.append(float((inference.logits.argmax(axis=1) == labels).mean()))
            curves.append(RobustnessCurve(change.name, change.unit, np.array(change.amounts), np.array(accuracy)))
    return Robustness(len(sample), tuple(curves))


def n_readings(n_digits: int) -> int:
    """Return how many images `robustness` evaluates in total for a dataset of ``n_digits``."""
    return min(n_digits, N_SAMPLE) * sum(len(change.amounts) for change in DISTORTIONS)


def evenly_spaced(n: int, n_wanted: int) -> NDArray[np.int64]:
    """Return at most ``n_wanted`` evenly spaced indices of 0..n-1."""
    n_wanted = min(n, n_wanted)
    return np.arange(n_wanted) * n // n_wanted


def _rotated(images: Images, degrees: float) -> Images:
    return Warp(*_NO_RANDOM_CHANGE).turned(images, angle=math.radians(degrees))


def _shifted(images: Images, distance_px: float) -> Images:
    """Shift one quarter of the digits each to the left, up, to the right and down."""
    out = np.empty_like(images)
    for k, (dy, dx) in enumerate(((0, 1), (1, 0), (0, -1), (-1, 0))):
        out[k::4] = Warp(*_NO_RANDOM_CHANGE).turned(images[k::4], dy=dy * distance_px, dx=dx * distance_px)
    return out


def _scaled(images: Images, zoom: float) -> Images:
    return Warp(*_NO_RANDOM_CHANGE).turned(images, zoom=zoom)


def _thickened(images: Images, change_px: float) -> Images:
    return Thickness(abs(change_px)).widened(images, np.full((len(images), 1, 1), change_px, np.float32))


def _noisy(images: Images, share: float) -> Images:
    """Add noise with a standard deviation of ``share`` of full ink; the noise pattern is always the same."""
    return Noise(share).noisy(images, np.full((1, 1, 1), 255 * share, np.float32), np.random.default_rng(1))


_NO_RANDOM_CHANGE = (0.0, 0.0, 0.0, 0.0, 0.0)

DISTORTIONS = (
    Distortion("Rotation", "°", (-90, -75, -60, -45, -30, -15, 0, 15, 30, 45, 60, 75, 90), _rotated),
    Distortion("Shift", "px", (0, 1, 2, 3, 4, 5, 6, 7, 8), _shifted),
    Distortion("Scale", "×", (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4), _scaled),
    Distortion("Stroke", "px", (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2), _thickened),
    Distortion("Noise", "", (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5), _noisy),
)
"""Distortions of the robustness test.

Positive angles rotate clockwise. Shifts go in all four directions. Strokes become wider above 0 and narrower below it.
The amount of noise is its standard deviation.
"""
