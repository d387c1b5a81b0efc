import threading

import numpy as np
import pytest

from digitpad.nn.feedforward import feedforward
from digitpad.nn.layers import BatchNorm
from digitpad.nn.network import Network
from digitpad.nn.optimizers import SGD
from digitpad.nn.parallel import DataParallel
from tests.unit.nn.batches import random_batch

LENET = ("5x5x4", "pool", "3x3x6", "pool", 12)


def trained(n_threads: int, n_steps: int = 4, **settings: object) -> tuple[Network, list[float]]:
    network = Network(feedforward(LENET, **settings))  # type: ignore[arg-type]
    losses = []
    with DataParallel(network, n_threads) as parallel:
        parallel.initialize(np.random.default_rng(1))
        optimizer = SGD(0.9)
        for step in range(n_steps):
            losses.append(parallel.learn(*random_batch(37, step)))
            optimizer.step(network.parameters, network.gradients, 0.01)
    return network, losses


def test_threads_give_the_results_of_one_thread() -> None:
    """Several threads give the same losses and parameters as one thread, except for rounding."""
    single, losses = trained(1)
    three, losses_of_three = trained(3)
    np.testing.assert_allclose(losses_of_three, losses, rtol=1e-5)
    np.testing.assert_allclose(three.parameters, single.parameters, atol=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_results_are_bit_identical_for_the_same_threads(n_threads: int) -> None:
    """Results are bit-identical for the same number of threads, also with dropout and batch normalisation."""
    runs = [trained(n_threads, batch_norm=True, dropout=0.3) for _ in range(2)]
    assert runs[0][1] == runs[1][1]
    assert runs[0][0].parameters.tobytes() == runs[1][0].parameters.tobytes()


def test_predictions_keep_the_order_of_samples() -> None:
    """Logits have the order of the samples, and use the running averages of the network itself."""
    network = Network(feedforward(LENET, batch_norm=True))
    images, labels = random_batch(10)
    with DataParallel(network, 3) as parallel:
        parallel.initialize(np.random.default_rng(2))
        for _ in range(3):
            parallel.learn(images, labels)
        together = parallel.forward(images).copy()
    np.testing.assert_allclose(together, network.forward(images), atol=1e-5)


def test_threads_share_the_samples_of_a_batch_evenly() -> None:
    """With a batch whose first half is blank, the running averages are similar to those with one thread."""
    images, labels = random_batch(64)
    images[:32] = 0
    observed = []
    for n_threads in (1, 2):
        network = Network(feedforward((16,), batch_norm=True))
        with DataParallel(network, n_threads) as parallel:
            parallel.initialize(np.random.default_rng(4))
            parallel.learn(images, labels)
        observed.append(next(layer.parameters["mean"] for layer in network.layers if isinstance(layer, BatchNorm)))
    single, double = observed
    assert np.abs(double - single).max() < 0.2 * np.abs(single).max()


def test_fewer_samples_than_threads() -> None:
    """A batch of one sample works with several threads."""
    images, labels = random_batch(1)
    with DataParallel(Network(feedforward(LENET)), 3) as parallel:
        parallel.initialize(np.random.default_rng(3))
        assert np.isfinite(parallel.learn(images, labels))
        assert parallel.forward(images).shape == (1, 10)


def test_closing_leaves_no_thread() -> None:
    """After closing, no thread is left, and the calling thread does all of the work."""
    before = threading.active_count()
    images, labels = random_batch(8)
    with DataParallel(Network(feedforward(LENET)), 4) as parallel:
        parallel.learn(images, labels)
        assert threading.active_count() > before
    assert threading.active_count() == before
    assert parallel.forward(images).shape == (8, 10)
    assert np.isfinite(parallel.learn(images, labels))


def test_error_in_a_thread_is_raised() -> None:
    """An invalid label raises an IndexError in any thread, and the threads end."""
    images, labels = random_batch(9)
    labels[-1] = 200
    with DataParallel(Network(feedforward(LENET)), 3) as parallel, pytest.raises(IndexError):
        parallel.learn(images, labels)
