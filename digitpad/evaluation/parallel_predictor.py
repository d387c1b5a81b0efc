"""Many digits read by several threads, with the same bits however many there are."""

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
"""Digits read at once: few enough for the activations of convolutions to stay in a core's cache."""

MAX_FEATURE_NUMBERS = 8_000_000
"""What is kept of the last hidden layer: of 10 000 digits, up to 800 units; of a wider layer, fewer digits."""


@dataclass(frozen=True, eq=False)
class Inference:
    """What a network made of digits.

    Attributes
    ----------
    logits : ndarray of shape (n, n_classes)
    features : ndarray of shape (n_kept, n_units)
        What its last hidden layer said, of the first digits, or of all.
    """

    logits: Floats
    features: Floats


class ParallelPredictor:
    """Threads that read for one set of weights.

    A network's products are not the same to the last bit when a batch is cut elsewhere, or when BLAS uses more threads.
    Therefore each chunk is read whole by one thread, and in a product there is no other.
    """

    def __init__(self, weights: Weights, n_threads: int = 1) -> None:
        network = weights.network()
        self._n_threads = n_threads
        self._chunk = min(CHUNK, network.chunk)
        self._split = feature_layer(network)
        self._n_units = n_features(network)
        self._n_classes = network.plan.output_shape[0]
        self._idle: queue.SimpleQueue[Network] = queue.SimpleQueue()
        for reader in (network, *(network.twin() for _ in range(n_threads - 1))):
            self._idle.put(reader)
        self._pool = ThreadPoolExecutor(n_threads, "reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()

    def read(self, images: NDArray[np.uint8]) -> Generator[EvaluationProgress, None, Inference]:
        """Read every image, with a sign of life after each chunk; closing the generator ends the reading."""
        n = len(images)
        logits = np.empty((n, self._n_classes), np.float32)
        features = np.empty((min(n, MAX_FEATURE_NUMBERS // self._n_units), self._n_units), np.float32)

        def work(begin: int) -> int:
            rows = slice(begin, begin + self._chunk)
            network = self._idle.get()
            try:
                logits[rows], of_chunk = _forward(network, images[rows], self._split)
                kept = features[rows]
                kept[...] = of_chunk[: len(kept)]
            finally:
                self._idle.put(network)
            return min(rows.stop, n)

        begins = iter(range(0, n, self._chunk))
        under_way: deque[Future[int]] = deque()
        with blas_threads.one_thread():
            try:
                for begin in begins:
                    under_way.append(self._pool.submit(work, begin))
                    if len(under_way) > 2 * self._n_threads:
                        yield EvaluationProgress(under_way.popleft().result(), n)
                while under_way:
                    yield EvaluationProgress(under_way.popleft().result(), n)
            finally:
                for future in under_way:
                    future.cancel()
                wait(under_way)
        return Inference(logits, features)


_T = TypeVar("_T")


def scale_progress(
    work: Generator[EvaluationProgress, None, _T], before: int, total: int
) -> Generator[EvaluationProgress, None, _T]:
    """The same, with its progress as a part of a longer one."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            value: _T = end.value
            return value
        yield EvaluationProgress(before + progress.done, total)


def feature_layer(network: Network) -> int:
    """The place of the layer whose input is taken as features: the last `Linear` one; past the end without any."""
    places = [place for place, layer in enumerate(network.layers) if isinstance(layer, Linear)]
    return places[-1] if places else len(network.layers)


def n_features(network: Network) -> int:
    """How many numbers the features of a digit are."""
    split = feature_layer(network)
    if split == len(network.layers):
        return network.plan.output_shape[0]
    units: int = network.plan.parameter_shapes[split]["weight"][0]
    return units


def features_of(network: Network, images: NDArray[np.uint8]) -> Floats:
    """What a network's last hidden layer says of images, of shape (n, n_features)."""
    return _forward(network, images, feature_layer(network))[1]


def _forward(network: Network, samples: NDArray[Any], split: int) -> tuple[Floats, Floats]:
    """Logits, good until the next call, and features in an array of their own."""
    x: NDArray[Any] = samples
    features = None
    with np.errstate(over="ignore", invalid="ignore"):
        for place, layer in enumerate(network.layers):
            if place == split:
                features = x.copy()
            x = layer.forward(x, False)
    return x, x.copy() if features is None else features
