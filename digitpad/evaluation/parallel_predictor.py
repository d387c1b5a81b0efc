"""Parallel evaluation of many digits, with bit-identical results for any number of threads."""

import queue
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitpad.evaluation.metrics import EvaluationProgress
from digitpad.nn.arrays import Floats
from digitpad.nn.layers import Linear
from digitpad.nn.network import Network
from digitpad.system import blas_threads
from digitpad.weights.native_format import Weights

CHUNK = 64
"""Digits per chunk: few enough for the activations of convolutions to fit in the cache of one core."""

MAX_FEATURE_NUMBERS = 8_000_000
"""Maximum number of stored activations: 10,000 digits × 800 units. With wider layers, fewer digits are stored."""


@dataclass(frozen=True, eq=False)
class Inference:
    """Outputs of a network for a set of digits.

    Attributes
    ----------
    logits : ndarray of shape (n, n_classes)
    features : ndarray of shape (n_kept, n_units)
        Activations of the last hidden layer, for all digits or, with a wide layer, for the first ones.
    """

    logits: Floats
    features: Floats


class ParallelPredictor:
    """Pool of threads that evaluate the same network.

    The last bits of a matrix product depend on how a batch is split and on the number of BLAS threads. Therefore, one
    thread processes each chunk as a whole, and BLAS itself runs on a single thread.
    """

    def __init__(self, weights: Weights, n_threads: int = 1) -> None:
        network = weights.network().folded()
        self._n_threads = n_threads
        self._chunk = min(CHUNK, network.chunk)
        self._split = feature_layer(network)
        self._n_units = n_features(network)
        self._n_classes = network.plan.output_shape[0]
        self._idle: queue.SimpleQueue[Network] = queue.SimpleQueue()
        for replica in (network, *(network.twin() for _ in range(n_threads - 1))):
            self._idle.put(replica)
        self._pool = ThreadPoolExecutor(n_threads, "predictor")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()

    def read(self, images: NDArray[np.uint8]) -> Generator[EvaluationProgress, None, Inference]:
        """Evaluate all images, and yield progress after each chunk; closing the generator stops the evaluation."""
        n = len(images)
        logits = np.empty((n, self._n_classes), np.float32)
        features = np.empty((min(n, MAX_FEATURE_NUMBERS // self._n_units), self._n_units), np.float32)

        def predict_chunk(begin: int) -> int:
            rows = slice(begin, begin + self._chunk)
            network = self._idle.get()
            try:
                logits[rows], chunk_features = _forward(network, images[rows], self._split)
                stored = features[rows]
                stored[...] = chunk_features[: len(stored)]
            finally:
                self._idle.put(network)
            return min(rows.stop, n)

        begins = iter(range(0, n, self._chunk))
        pending: deque[Future[int]] = deque()
        with blas_threads.one_thread():
            try:
                for begin in begins:
                    pending.append(self._pool.submit(predict_chunk, begin))
                    if len(pending) > 2 * self._n_threads:
                        yield EvaluationProgress(pending.popleft().result(), n)
                while pending:
                    yield EvaluationProgress(pending.popleft().result(), n)
            finally:
                for future in pending:
                    future.cancel()
                wait(pending)
        return Inference(logits, features)


_T = TypeVar("_T")


def scale_progress(
    work: Generator[EvaluationProgress, None, _T], before: int, total: int
) -> Generator[EvaluationProgress, None, _T]:
    """Run a generator, with its progress reported as part of a longer task: after ``before`` digits, of ``total``."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            value: _T = end.value
            return value
        yield EvaluationProgress(before + progress.done, total)


def feature_layer(network: Network) -> int:
    """Return the index of the last `Linear` layer, whose input is the features; without one, the number of layers."""
    indices = [index for index, layer in enumerate(network.layers) if isinstance(layer, Linear)]
    return indices[-1] if indices else len(network.layers)


def n_features(network: Network) -> int:
    """Return the number of features per digit."""
    split = feature_layer(network)
    if split == len(network.layers):
        return network.plan.output_shape[0]
    units: int = network.plan.parameter_shapes[split]["weight"][0]
    return units


def features_of(network: Network, images: NDArray[np.uint8]) -> Floats:
    """Return the activations of a network's last hidden layer for images, of shape (n, n_features)."""
    return _forward(network, images, feature_layer(network))[1]


def _forward(network: Network, samples: NDArray[Any], split: int) -> tuple[Floats, Floats]:
    """Return logits, which the next call overwrites, and a copy of the features."""
    x: NDArray[Any] = samples
    features = None
    with np.errstate(over="ignore", invalid="ignore"):
        for index, layer in enumerate(network.layers):
            if index == split:
                features = x.copy()
            x = layer.forward(x, False)
    return x, x.copy() if features is None else features
