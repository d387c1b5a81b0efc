"""Data-parallel training: several threads, each with its share of the batch."""

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
    """Run a network on several shares of each batch in parallel, and add up the gradients.

    While NumPy computes, it lets other Python threads run. Unlike the threads of a BLAS matrix product, these threads
    also share the work between the products, which takes half of the time for convolutions. BLAS should use one thread
    meanwhile. The same number of threads gives bit-identical results.

    Each share takes every n-th sample of the batch, because the start of a batch may differ from its end. A layer that
    depends on the whole batch, such as `BatchNorm`, sees only its share, and its running averages are those of the
    first share.

    Parameters
    ----------
    network : Network
        The network to train; the other threads use networks that share its parameters.
    n_threads : int
        Number of threads, including the calling thread. With 1, no other thread is started.
    label_smoothing : float
        Label smoothing of `CrossEntropy`.
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
        """Stop the other threads; afterwards, the calling thread does all of the work."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def initialize(self, rng: np.random.Generator) -> list[np.random.Generator]:
        """Initialise all parameters, and give the layers of every thread a random generator.

        Returns
        -------
        list of numpy.random.Generator
            These generators, ``rng`` first; all later training passes draw from them.
        """
        network, *twins = self._networks
        twin_rngs = rng.spawn(len(twins))
        for twin, twin_rng in zip(twins, twin_rngs, strict=True):
            twin.initialize(twin_rng)
        network.initialize(rng)
        return [rng, *twin_rngs]

    def set_dropout(self, rate: float) -> None:
        """Set the rate of all dropout layers."""
        for network in self._networks:
            for layer in network.layers:
                if isinstance(layer, Dropout):
                    layer.rate = rate

    @property
    def chunk(self) -> int:
        """Number of samples to process at once; see `Network.chunk`."""
        return self._networks[0].chunk

    def learn(self, samples: NDArray[Any], labels: Ints) -> float:
        """Return the loss on a batch, and write its gradient to the network's ``gradients``."""
        n = len(labels)

        def learn_share(i: int, share: slice) -> float:
            network, loss = self._networks[i], self._losses[i]
            # The loss shows whether the network diverges, so warnings add nothing; errstate is per thread.
            with np.errstate(over="ignore", invalid="ignore"):
                value, dlogits = loss(network.forward(samples[share], training=True), labels[share])
                fraction = len(labels[share]) / n
                if fraction != 1:
                    dlogits *= fraction
                network.backward(dlogits)
            return value * fraction

        losses = self._run_shares(n, learn_share)
        gradients = self._networks[0].gradients
        for twin in self._networks[1 : len(losses)]:
            gradients += twin.gradients
        return sum(losses)

    def forward(self, samples: NDArray[Any]) -> Floats:
        """Return logits of shape (n_samples, n_classes), not in training mode; valid until the next call."""
        if self._pool is None:
            with np.errstate(over="ignore", invalid="ignore"):
                return self._networks[0].forward(samples)
        logits = self._scratch("logits", (len(samples), *self._networks[0].plan.output_shape))

        def forward_share(i: int, share: slice) -> None:
            with np.errstate(over="ignore", invalid="ignore"):
                logits[share] = self._networks[i].forward(samples[share])

        self._run_shares(len(samples), forward_share)
        return logits

    def _run_shares(self, n: int, work: Callable[[int, slice], _T]) -> list[_T]:
        """Return the results of ``work`` for each share of 0..n-1; the first share runs in the calling thread."""
        if self._pool is None:
            return [work(0, slice(0, n))]
        shares = [slice(first, n, len(self._networks)) for first in range(min(n, len(self._networks)))]
        others = [self._pool.submit(work, i, share) for i, share in enumerate(shares[1:], start=1)]
        try:
            first = work(0, shares[0])
        finally:
            results = [other.result() for other in others]
        return [first, *results]
