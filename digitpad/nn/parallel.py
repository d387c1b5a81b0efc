"""Several threads for one network: each reads its share of the batch."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitpad.nn.arrays import Floats, Ints, Scratch
from digitpad.nn.layers import Dropout
from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import Network

_T = TypeVar("_T")


class DataParallel:
    """Runs a network on the shares of each batch at once, and adds up what they say of the gradient.

    While NumPy computes, it lets other Python threads run. Unlike threads within a matrix product, these share all that
    lies between the products too, which for convolutions is half of the time. BLAS should have one thread meanwhile.
    The same number of threads gives the same bits. Each takes samples from the whole of a batch, which may begin with
    others than it ends with: a layer that looks at all of them, as `BatchNorm` does, sees its share, and is kept as the
    first share made it.

    Parameters
    ----------
    network : Network
        What is trained; the threads besides the first work on twins of it.
    n_threads : int
        With 1, there is no other thread, and nothing to close.
    label_smoothing : float
        As `CrossEntropy` takes it.
    """

    def __init__(self, network: Network, n_threads: int = 1, label_smoothing: float = 0.0) -> None:
        self._networks = [network, *(network.twin() for _ in range(n_threads - 1))]
        self._losses = [CrossEntropy(label_smoothing) for _ in self._networks]
        self._pool = ThreadPoolExecutor(n_threads - 1, "network") if n_threads > 1 else None
        self._scratch = Scratch(network.parameters.dtype)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the other threads; this one can still do all of the work."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def initialize(self, rng: np.random.Generator) -> list[np.random.Generator]:
        """Give every parameter its first value, and the layers of every thread a generator to draw from.

        Returns
        -------
        list of numpy.random.Generator
            Those generators, ``rng`` first: all that later forward passes in training draw from.
        """
        network, *twins = self._networks
        twin_rngs = rng.spawn(len(twins))
        for twin, twin_rng in zip(twins, twin_rngs, strict=True):
            twin.initialize(twin_rng)
        network.initialize(rng)
        return [rng, *twin_rngs]

    def set_dropout(self, rate: float) -> None:
        """Drop this share from now on, in every layer that drops."""
        for network in self._networks:
            for layer in network.layers:
                if isinstance(layer, Dropout):
                    layer.rate = rate

    @property
    def chunk(self) -> int:
        """As `Network.chunk`."""
        return self._networks[0].chunk

    def learn(self, samples: NDArray[Any], labels: Ints) -> float:
        """The loss on a batch; its gradient is then in the network's ``gradients``."""
        n = len(labels)

        def of_share(i: int, share: slice) -> float:
            network, loss = self._networks[i], self._losses[i]
            # What a network that runs away says, its loss says too; each thread has a state of its own.
            with np.errstate(over="ignore", invalid="ignore"):
                value, dlogits = loss(network.forward(samples[share], training=True), labels[share])
                part = len(labels[share]) / n
                if part != 1:
                    dlogits *= part
                network.backward(dlogits)
            return value * part

        losses = self._in_shares(n, of_share)
        gradients = self._networks[0].gradients
        for twin in self._networks[1 : len(losses)]:
            gradients += twin.gradients
        return sum(losses)

    def forward(self, samples: NDArray[Any]) -> Floats:
        """Logits of shape (n_samples, n_classes), as outside training; good until the next call."""
        if self._pool is None:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._networks[0].forward(samples)
        logits = self._scratch("logits", (len(samples), *self._networks[0].plan.output_shape))

        def of_share(i: int, share: slice) -> None:
            with np.errstate(over="ignore", invalid="ignore"):
                logits[share] = self._networks[i].forward(samples[share])

        self._in_shares(len(samples), of_share)
        return logits

    def _in_shares(self, n: int, work: Callable[[int, slice], _T]) -> list[_T]:
        """What ``work`` gives for each share of 0..n-1; the first is done in this thread."""
        if self._pool is None:
            return [work(0, slice(0, n))]
        shares = [slice(first, n, len(self._networks)) for first in range(min(n, len(self._networks)))]
        others = [self._pool.submit(work, i, share) for i, share in enumerate(shares[1:], start=1)]
        try:
            first = work(0, shares[0])
        finally:
            results = [other.result() for other in others]
        return [first, *results]
