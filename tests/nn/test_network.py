import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from digitpad.nn.losses import CrossEntropy
from digitpad.nn.network import ACTIVATIONS, Network, dense
from digitpad.nn.optimizers import SGD, Adam
from tests.nn.gradients import numerical_gradient


def random_batch(n: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_through_the_whole_network(activation: str) -> None:
    """Each parameter of each layer moves the loss as backpropagation says."""
    network = Network(dense([4, 3], activation), dtype=np.float64)
    network.initialize(np.random.default_rng(5))
    images, labels = random_batch(3)
    loss = CrossEntropy()
    _, dlogits = loss(network.forward(images, training=True), labels)
    network.backward(dlogits)
    some = np.r_[0:40, network.parameters.size - 80 : network.parameters.size]
    measured = numerical_gradient(lambda: loss(network.forward(images), labels)[0], network.parameters)
    np.testing.assert_allclose(network.gradients[some], measured[some], atol=1e-7)


def test_overfits_twenty_samples() -> None:
    """What cannot learn twenty digits by heart cannot learn."""
    network = Network(dense([32]))
    network.initialize(np.random.default_rng(6))
    images, labels = random_batch(20)
    loss, optimizer = CrossEntropy(), Adam()
    for _ in range(100):
        value, dlogits = loss(network.forward(images, training=True), labels)
        network.backward(dlogits)
        optimizer.step(network.parameters, network.gradients, 0.01)
    assert value < 0.01
    assert (network.predict(images).argmax(axis=1) == labels).all()


def test_the_same_seed_gives_the_same_weights() -> None:
    """Randomness comes from the generator that is passed, and from nowhere else."""
    one, other = Network(dense([8])), Network(dense([8]))
    one.initialize(np.random.default_rng(7))
    other.initialize(np.random.default_rng(7))
    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_a_step_allocates_nothing_after_the_first() -> None:
    """Memory is used again, but for what NumPy buffers to cast; the smallest batch-sized array would be 128 KB."""
    network = Network(dense([256, 128]))
    network.initialize(np.random.default_rng(8))
    images, labels = random_batch(128)
    loss, optimizer = CrossEntropy(), SGD(momentum=0.9)

    def step() -> None:
        _, dlogits = loss(network.forward(images, training=True), labels)
        network.backward(dlogits)
        optimizer.step(network.parameters, network.gradients, 0.01)

    step()
    tracemalloc.start()
    try:
        step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 65_536


def test_parameters_are_views_of_one_vector() -> None:
    """Writing the vector is writing the layers."""
    network = Network(dense([8]))
    network.parameters[:] = np.arange(network.parameters.size)
    named = network.named_parameters()
    assert {name: view.shape for name, view in named.items()} == {
        "2.weight": (784, 8),
        "2.bias": (8,),
        "4.weight": (8, 10),
        "4.bias": (10,),
    }
    np.testing.assert_array_equal(np.concatenate([view.ravel() for view in named.values()]), network.parameters)


def test_architecture_rebuilds_the_network() -> None:
    """From its own description comes a network that computes the same."""
    network = Network(dense([8, 6], "leaky_relu"))
    network.initialize(np.random.default_rng(9))
    twin = Network.from_architecture(network.architecture())
    twin.parameters[:] = network.parameters
    images, _ = random_batch(4)
    np.testing.assert_array_equal(twin.predict(images), network.predict(images))
    assert twin.summary() == "784-8-6-10"


@pytest.mark.parametrize(
    ("architecture", "message"),
    [([{"type": "Teleport"}], "unknown type, 'Teleport'"), ([{"type": "ReLU", "warp": 9}], "settings that do not fit")],
)
def test_unknown_architecture_is_refused(architecture: list[dict[str, object]], message: str) -> None:
    """What no layer understands is named."""
    with pytest.raises(ValueError, match=message):
        Network.from_architecture(architecture)


def test_batch_sizes_may_change() -> None:
    """One image and a batch of them are read alike, whatever came before."""
    network = Network(dense([16]))
    network.initialize(np.random.default_rng(10))
    images, _ = random_batch(9)
    together = network.predict(images)
    alone = np.concatenate([network.predict(images[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(alone, together, atol=1e-6)
